-- A failure means that the fact, which is rebuilt by month, still has a deleted sale, lacks a new one or has one in the
-- wrong month: a full refresh of fct_store_sales would give other figures.
{{ sum_differences(
    {'relation': ref('clean_sales__sales'), 'by': month_start('sale_date'), 'sums': {
        'sales_lines': 'count(*)', 'quantity': 'sum(quantity)',
        'total_amount': 'sum(cast(round(quantity * price, 2) as decimal(18, 2)))',
    }},
    {'relation': ref('fct_store_sales'), 'by': 'sale_month', 'sums': {
        'sales_lines': 'count(*)', 'quantity': 'sum(quantity)', 'total_amount': 'sum(total_amount)',
    }},
) }}
