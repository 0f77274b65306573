-- A failure means that the fact, which is rebuilt by month, still has a deleted order, lacks a new one or has one in
-- the wrong month: a full refresh of fct_orders would give other figures.
{{ sum_differences(
    {'relation': ref('clean_ecommerce__orders'), 'by': month_start('order_date'), 'sums': {
        'orders': 'count(*)', 'quantity': 'sum(quantity)',
        'revenue': 'sum(cast(round(quantity * unit_price, 2) as decimal(18, 2)))',
    }},
    {'relation': ref('fct_orders'), 'by': 'order_month', 'sums': {
        'orders': 'count(*)', 'quantity': 'sum(quantity)', 'revenue': 'sum(revenue)',
    }},
) }}
