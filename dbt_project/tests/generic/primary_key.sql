{#
    The columns together are never null and never repeated. The rows of each key are numbered, which engines do by sorting:
    grouping millions of keys takes DuckDB twice the time and memory. Spark requires an order in the window.
#}
{% test primary_key(model, columns) %}
    {%- set key = columns | join(', ') -%}
    select {{ key }}
    from (
        select {{ key }}, row_number() over (partition by {{ key }} order by {{ key }}) as number
        from {{ model }}
    ) as numbered
    where number > 1 {%- for column in columns %} or {{ column }} is null{% endfor %}
{% endtest %}
