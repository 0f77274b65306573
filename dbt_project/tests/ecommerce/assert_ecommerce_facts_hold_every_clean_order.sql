-- A failure means that the fact, which is rebuilt by month, kept an order that is gone, misses one that is new or has
-- one in the wrong month: a full refresh of fct_orders would give other figures.
{{ unequal_sums(
    {'relation': ref('clean_ecommerce__orders'), 'by': month_start('order_date'), 'sums': {
        'orders': 'count(*)', 'quantity': 'sum(quantity)',
        'revenue': 'sum(cast(round(quantity * unit_price, 2) as decimal(18, 2)))',
    }},
    {'relation': ref('fct_orders'), 'by': 'order_month', 'sums': {
        'orders': 'count(*)', 'quantity': 'sum(quantity)', 'revenue': 'sum(revenue)',
    }},
) }}
