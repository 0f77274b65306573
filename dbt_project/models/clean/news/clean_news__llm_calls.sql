with calls as (

    select
        call_id,
        content_hash,

        provider,
        model,
        prompt_version,
        outcome,

        input_tokens,
        output_tokens,
        cache_hits,
        cast(cost_usd as decimal(18, 9)) as cost_usd,
        cast(saved_usd as decimal(18, 9)) as saved_usd,

        -- The session is in UTC (profiles.yml).
        cast(called_at as {{ dbt.type_timestamp() }}) as called_at,
        cast(called_at as date) as called_on
    from {{ source('raw_news', 'llm_usage') }}

)

select * from calls
