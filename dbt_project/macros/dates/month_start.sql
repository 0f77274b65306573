{# First day of the month of a date or timestamp. On DuckDB, date_trunc takes three times as long. #}
{% macro month_start(date) -%}
    (cast({{ date }} as date) - cast(extract(day from {{ date }}) - 1 as integer))
{%- endmacro %}
