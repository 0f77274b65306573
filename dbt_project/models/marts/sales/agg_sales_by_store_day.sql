with sales as (

    select * from {{ ref('fct_store_sales') }}

),

stores as (

    select * from {{ ref('dim_stores') }}

),

store_days as (

    select
        sales.sale_date,
        stores.store_name,
        count(*) as sales_lines,
        count(distinct sales.product_id) as products,
        cast(sum(sales.quantity) as bigint) as quantity,
        cast(sum(sales.total_amount) as decimal(18, 2)) as total_amount
    from sales
    inner join stores on sales.store_key = stores.store_key
    group by sales.sale_date, stores.store_name

)

select * from store_days
