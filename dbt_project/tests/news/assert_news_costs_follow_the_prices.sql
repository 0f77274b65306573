-- A failure means that calls were costed at other prices than the price list has for their day, so that the bill may be
-- higher than expected, or that the price list was changed for days in the past.
with priced as (

    select
        calls.call_id,
        calls.input_tokens,
        calls.output_tokens,
        calls.cost_usd,
        prices.input_usd_per_million,
        prices.output_usd_per_million,
        row_number() over (partition by calls.call_id order by prices.valid_from desc) as place
    from {{ ref('clean_news__llm_calls') }} as calls
    left join {{ ref('llm_prices') }} as prices
        on calls.model = prices.model and calls.called_on >= prices.valid_from
    where calls.outcome = 'succeeded'

)

select
    call_id,
    cost_usd
from priced
where
    place = 1
    and (
        input_usd_per_million is null
        or abs(
            cost_usd * 1000000 - input_tokens * input_usd_per_million - output_tokens * output_usd_per_million
        ) > 0.01
    )
