with sources as (

    select
        source_key,
        max(source_id) as source_id,
        source_name
    from {{ ref('curated_news__articles') }}
    group by source_key, source_name

)

select * from sources
