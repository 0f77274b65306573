with ranked as (

    select
        *,
        row_number() over (
            partition by content_hash
            order by
                case when status = 'enriched' then 1 else 0 end desc,
                enriched_at desc, provider desc, model desc, prompt_version desc
        ) as preference
    from {{ source('raw_news', 'enrichments') }}

),

preferred as (

    select
        content_hash,

        provider,
        model,
        prompt_version,
        status,

        topic,
        summary,
        entities,

        cast(round(cast(sentiment as decimal(18, 9)), 4) as decimal(5, 4)) as sentiment,

        cast(enriched_at as {{ dbt.type_timestamp() }}) as enriched_at
    from ranked
    where preference = 1

)

select * from preferred
