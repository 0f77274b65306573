-- A failure means that the fact, which is rebuilt by month, kept a trip that is gone or misses one that is new: a full
-- refresh of fct_trips would give other figures.
{% set sums = {'trips': 'count(*)', 'total_amount': 'sum(total_amount)'} %}
{{ unequal_sums(
    {'relation': ref('clean_taxi__trips'), 'by': 'file_month', 'sums': sums},
    {'relation': ref('fct_trips'), 'by': 'file_month', 'sums': sums},
) }}
