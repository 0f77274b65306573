-- A failure means that the fact, which is rebuilt by month, kept a sale that is gone, misses one that is new or has one
-- in the wrong month: a full refresh of fct_daily_sales would give other figures.
with clean as (

    select
        {{ month_of('sale_date') }} as sale_month,
        count(*) as sales_lines,
        sum(quantity) as quantity,
        sum(cast(round(quantity * price, 2) as decimal(18, 2))) as total_amount
    from {{ ref('clean_sales__sales') }}
    group by {{ month_of('sale_date') }}

),

facts as (

    select
        sale_month,
        count(*) as sales_lines,
        sum(quantity) as quantity,
        sum(total_amount) as total_amount
    from {{ ref('fct_daily_sales') }}
    group by sale_month

)

select coalesce(clean.sale_month, facts.sale_month) as sale_month
from clean
full outer join facts on clean.sale_month = facts.sale_month
where
    clean.sales_lines is distinct from facts.sales_lines
    or clean.quantity is distinct from facts.quantity
    or clean.total_amount is distinct from facts.total_amount
