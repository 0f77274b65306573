-- Sales and taxi trips by weekday
-- An average Monday to Sunday in the stores and in the taxis of New York; a query can join domains.
with sales as (
    select isodow(sale_date) as iso_weekday, sum(total_amount) / count(distinct sale_date) as sales_amount
    from sales.agg_sales_by_store_day
    group by all
),

trips as (
    select isodow(pickup_date) as iso_weekday, sum(trips) / count(distinct pickup_date) as trips
    from taxi.agg_trips_by_day
    group by all
)

select
    iso_weekday,
    round(sales.sales_amount, 2) as average_sales_amount,
    round(trips.trips, 1) as average_trips
from sales
full join trips using (iso_weekday)
order by iso_weekday
