-- A failure means that the fact, which is rebuilt by month, kept an order that is gone, misses one that is new or has
-- one in the wrong month: a full refresh of fct_sales would give other figures.
with clean as (

    select
        {{ month_of('order_date') }} as order_month,
        count(*) as orders,
        sum(quantity) as quantity,
        sum(cast(round(quantity * unit_price, 2) as decimal(18, 2))) as revenue
    from {{ ref('clean_ecommerce__orders') }}
    group by {{ month_of('order_date') }}

),

facts as (

    select
        order_month,
        count(*) as orders,
        sum(quantity) as quantity,
        sum(revenue) as revenue
    from {{ ref('fct_sales') }}
    group by order_month

)

select coalesce(clean.order_month, facts.order_month) as order_month
from clean
full outer join facts on clean.order_month = facts.order_month
where
    clean.orders is distinct from facts.orders
    or clean.quantity is distinct from facts.quantity
    or clean.revenue is distinct from facts.revenue
