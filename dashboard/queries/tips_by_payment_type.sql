-- Tips by payment type
-- How trips are paid, and the share of the fare that passengers give as a tip; cash tips are not recorded.
select
    types.payment_type,
    count(*) as trips,
    round(avg(trips.tip_share), 4) as average_tip_share,
    round(avg(trips.total_amount), 2) as average_amount_usd
from taxi.fct_trips as trips
inner join taxi.dim_payment_types as types on trips.payment_type_id = types.payment_type_id
where not trips.is_refund
group by all
order by trips desc
