with articles as (

    select * from {{ ref('clean_news__articles') }}

),

enrichments as (

    select * from {{ ref('curated_news__enrichments') }}

),

enriched as (

    select
        articles.article_id,
        {{ surrogate_key(['articles.source_name']) }} as source_key,

        articles.source_id,
        articles.source_name,
        articles.author,
        articles.title,
        articles.url,

        coalesce(enrichments.status, 'not_enriched') as enrichment_status,
        enrichments.provider,
        enrichments.model,
        enrichments.topic,
        enrichments.summary,
        enrichments.entities,

        enrichments.sentiment,

        articles.published_at,
        articles.published_on
    from articles
    left join enrichments on articles.content_hash = enrichments.content_hash

)

select * from enriched
