-- A failure means that calls were budgeted at other prices than those in the list, so that the bill may be higher than
-- expected. After a change of a price, the calls made before it appear here as well.
select
    calls.call_id,
    calls.cost_usd
from {{ ref('clean_news__llm_calls') }} as calls
left join {{ ref('llm_prices') }} as prices on calls.model = prices.model
where
    calls.outcome = 'answered'
    and (
        prices.model is null
        or abs(
            calls.cost_usd * 1000000 - calls.input_tokens * prices.input_usd_per_million
            - calls.output_tokens * prices.output_usd_per_million
        ) > 0.01
    )
