-- A failure means that the totals by store and day differ from the sales, so that two reports disagree.
{{ sum_differences(
    {'relation': ref('fct_store_sales'), 'by': 'sale_date', 'sums': {
        'sales_lines': 'count(*)', 'total_amount': 'sum(total_amount)',
    }},
    {'relation': ref('agg_sales_by_store_day'), 'by': 'sale_date', 'sums': {
        'sales_lines': 'sum(sales_lines)', 'total_amount': 'sum(total_amount)',
    }},
) }}
