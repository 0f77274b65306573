-- A failure means that an order's total is not the sum of its parts to the cent, so no sum of it is right.
select order_id
from {{ ref('fct_orders') }}
where
    revenue <> round(quantity * unit_price, 2)
    or margin <> revenue - cost_of_goods
    or (margin is null) <> (cost_of_goods is null)
