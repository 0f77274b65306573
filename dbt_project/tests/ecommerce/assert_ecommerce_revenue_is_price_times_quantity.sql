-- A failure means that an order's revenue or margin is not computed to the cent, so sums of it are wrong.
select order_id
from {{ ref('fct_orders') }}
where
    revenue <> round(quantity * unit_price, 2)
    or margin <> revenue - cost_of_goods
    or (margin is null) <> (cost_of_goods is null)
