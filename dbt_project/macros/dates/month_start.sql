{# First day of the month of a date or timestamp; by taking off its days: date_trunc takes DuckDB three times as long. #}
{% macro month_start(date) -%}
    (cast({{ date }} as date) - cast(extract(day from {{ date }}) - 1 as integer))
{%- endmacro %}
