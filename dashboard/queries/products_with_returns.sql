-- Products with the most returns
-- The products whose orders are returned or cancelled most often, of those with at least ten orders.
select
    products.product_id,
    any_value(products.product_name) as product_name,
    count(*) as orders,
    round(avg((orders.status in ('returned', 'cancelled'))::integer), 4) as share_returned_or_cancelled
from ecommerce.fct_orders as orders
inner join ecommerce.dim_products as products on orders.product_key = products.product_key
group by products.product_id
having count(*) >= 10
order by share_returned_or_cancelled desc, orders desc
limit 20
