with customers as (

    select * from {{ ref('dim_customers') }}

),

versions as (

    -- By version first, which leaves far fewer rows for the join.
    select
        customer_key,
        count(*) as orders,
        sum(revenue) as revenue,
        min(order_date) as first_order_date,
        max(order_date) as last_order_date
    from {{ ref('fct_orders') }}
    group by customer_key

),

totals as (

    select
        customers.customer_id,
        cast(sum(versions.orders) as bigint) as orders,
        cast(sum(versions.revenue) as decimal(18, 2)) as revenue,
        min(versions.first_order_date) as first_order_date,
        max(versions.last_order_date) as last_order_date
    from versions
    inner join customers on versions.customer_key = customers.customer_key
    group by customers.customer_id

),

customer_summary as (

    select
        customer_id,
        orders,
        revenue,
        first_order_date,
        last_order_date,
        {{ safe_divide(dbt.datediff('first_order_date', 'last_order_date', 'day'), '(orders - 1)', 2) }}
            as average_days_between_orders
    from totals

)

select * from customer_summary
