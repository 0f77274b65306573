-- A failure means that the budget reckons with other prices than the list says, so that a bill may be higher than
-- expected. Calls made before a change of the list stand here as well.
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
