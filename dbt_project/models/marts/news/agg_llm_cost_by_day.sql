with calls as (

    select * from {{ ref('clean_news__llm_calls') }}

),

llm_cost_by_day as (

    select
        called_on,
        provider,
        model,
        count(case when outcome <> 'cached' then 1 end) as calls,
        count(case when outcome not in ('cached', 'succeeded') then 1 end) as calls_without_use,
        cast(sum(input_tokens) as bigint) as input_tokens,
        cast(sum(output_tokens) as bigint) as output_tokens,
        cast(sum(cost_usd) as decimal(18, 9)) as cost_usd,
        cast(sum(cache_hits) as bigint) as cache_hits,
        cast(sum(saved_usd) as decimal(18, 9)) as saved_usd
    from calls
    group by called_on, provider, model

)

select * from llm_cost_by_day
