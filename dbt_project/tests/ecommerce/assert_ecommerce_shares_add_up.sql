-- A failure means that the shares of a month's categories do not add up to 1. Each share is rounded to four places.
select order_month
from {{ ref('agg_category_month') }}
group by order_month
having abs(sum(share_of_month) - 1) > 0.00005 * count(*)
