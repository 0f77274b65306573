with articles as (

    select
        article_id,
        {{ date_key('published_on') }} as date_key,
        source_key,

        author,
        title,
        url,
        enrichment_status,
        provider,
        model,
        topic,
        summary,
        entities,

        sentiment,

        published_at,
        published_on
    from {{ ref('curated_news__articles') }}

)

select * from articles
