-- A failure means that the totals by store and day are not those of the sales, so two reports differ.
with store_days as (

    select
        sale_date,
        sum(sales_lines) as sales_lines,
        sum(total_amount) as total_amount
    from {{ ref('agg_sales_by_store_day') }}
    group by sale_date

),

facts as (

    select
        sale_date,
        count(*) as sales_lines,
        sum(total_amount) as total_amount
    from {{ ref('fct_daily_sales') }}
    group by sale_date

)

select coalesce(store_days.sale_date, facts.sale_date) as sale_date
from store_days
full outer join facts on store_days.sale_date = facts.sale_date
where
    store_days.sales_lines is distinct from facts.sales_lines
    or store_days.total_amount is distinct from facts.total_amount
