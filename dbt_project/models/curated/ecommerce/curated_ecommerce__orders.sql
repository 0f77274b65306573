-- A view, so that the fact, its only reader, joins and computes only the months that it writes.
{{ config(materialized='view') }}

with orders as (

    select * from {{ ref('clean_ecommerce__orders') }}

),

customers as (

    -- A join with two comparisons is fast; one with "or" for the open end is not.
    select
        *,
        coalesce(valid_to, cast('9999-12-31' as date)) as valid_before
    from {{ ref('curated_ecommerce__customers') }}

),

products as (

    select
        *,
        coalesce(valid_to, cast('9999-12-31' as date)) as valid_before
    from {{ ref('curated_ecommerce__products') }}

),

joined as (

    select
        orders.*,
        customers.customer_key,
        customers.region as customer_region,
        products.product_key,
        products.product_name,
        products.category as product_category,
        products.unit_cost,
        cast(round(orders.quantity * orders.unit_price, 2) as decimal(18, 2)) as line_total,
        cast(round(orders.quantity * products.unit_cost, 2) as decimal(18, 2)) as line_cost
    from orders
    left join customers
        on
            orders.customer_id = customers.customer_id
            and orders.order_date >= customers.valid_from
            and orders.order_date < customers.valid_before
    left join products
        on
            orders.product_id = products.product_id
            and orders.order_date >= products.valid_from
            and orders.order_date < products.valid_before

),

curated as (

    select
        order_id,
        customer_id,
        customer_key,
        product_id,
        product_key,

        status,
        customer_region,
        product_name,
        product_category,

        quantity,
        unit_price,
        unit_cost,
        line_total,
        line_cost,
        cast(line_total - line_cost as decimal(18, 2)) as line_margin,

        order_date,
        order_month,
        cast(extract(year from order_date) as integer) as order_year,
        cast(extract(quarter from order_date) as integer) as order_quarter,
        {{ iso_weekday('order_date') }} as order_weekday,

        _source_file,
        _source_row,
        _row_id,
        _dlt_load_id,
        _validated_at
    from joined

)

select * from curated
