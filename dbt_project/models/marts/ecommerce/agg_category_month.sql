with months as (

    select
        order_month,
        category,
        cast(sum(orders) as bigint) as orders,
        cast(sum(quantity) as bigint) as quantity,
        cast(sum(revenue) as decimal(18, 2)) as revenue,
        cast(sum(margin) as decimal(18, 2)) as margin
    from {{ ref('agg_daily_order_revenue') }}
    group by order_month, category

),

totals as (

    select
        *,
        cast(sum(revenue) over (partition by order_month) as decimal(18, 2)) as month_revenue
    from months

),

category_months as (

    select
        order_month,
        category,
        orders,
        quantity,
        revenue,
        margin,
        {{ safe_divide('revenue', 'month_revenue', 4) }} as share_of_month
    from totals

)

select * from category_months
