{#
    The columns together are never null and never repeated. Where checked_keys knows until when written rows have been
    checked, only later rows are, each against all rows. Otherwise all rows are numbered, which engines do by sorting:
    grouping millions of keys takes DuckDB twice the time and memory. Spark requires an order in the window.
#}
{% test primary_key(model, columns) %}
    {%- set key = columns | join(', ') -%}
    {%- set checked = checked_keys(model, key) if execute else {} -%}
    {%- if checked.until -%}
    {%- set later = checked.written_at ~ " > '" ~ checked.until ~ "'" -%}
    select {{ key }}
    from {{ model }}
    where ({{ key }}) in (select {{ key }} from {{ model }} where {{ later }})
    group by {{ key }}
    having count(*) > 1
    union all
    select {{ key }}
    from {{ model }}
    where {{ later }} and (false {%- for column in columns %} or {{ column }} is null{% endfor %})
    {%- else -%}
    select {{ key }}
    from (
        select {{ key }}, row_number() over (partition by {{ key }} order by {{ key }}) as number
        from {{ model }}
    ) as numbered
    where number > 1 {%- for column in columns %} or {{ column }} is null{% endfor %}
    {%- endif -%}
{% endtest %}
