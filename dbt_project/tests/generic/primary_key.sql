{#
    The columns together are never null and never repeated. Rows are numbered within their key, which engines do by sorting;
    a group for each of millions of keys takes DuckDB twice the time and memory. Spark numbers no rows without an order.
#}
{% test primary_key(model, columns) %}
    {%- set key = columns | join(', ') -%}
    select {{ key }}
    from (
        select {{ key }}, row_number() over (partition by {{ key }} order by {{ key }}) as place
        from {{ model }}
    ) as numbered
    where place > 1 {%- for column in columns %} or {{ column }} is null{% endfor %}
{% endtest %}
