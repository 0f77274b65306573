-- A failure means that the fact, which is rebuilt by month, still has a deleted trip or lacks a new one: a full refresh
-- of fct_trips would give other figures.
{% set sums = {'trips': 'count(*)', 'total_amount': 'sum(total_amount)'} %}
{{ sum_differences(
    {'relation': ref('clean_taxi__trips'), 'by': 'file_month', 'sums': sums},
    {'relation': ref('fct_trips'), 'by': 'file_month', 'sums': sums},
) }}
