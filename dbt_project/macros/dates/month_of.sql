{# First day of the month of a date or timestamp; DuckDB takes three times as long to truncate a million of them. #}
{% macro month_of(date) -%}
    (cast({{ date }} as date) - cast(extract(day from {{ date }}) - 1 as integer))
{%- endmacro %}
