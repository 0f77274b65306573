{# Cast a text to a date, or null: year, month and day in this order (ISO 8601). A time of day after it is dropped. #}
{% macro try_date(text) -%}
    {{ return(adapter.dispatch('try_date')(text)) }}
{%- endmacro %}

{% macro duckdb__try_date(text) -%}
    {#- A cast to date alone accepts '2024-01-15x'. #}
    case when {{ duckdb_begins_with_digit(text) }} then cast(try_cast({{ text }} as timestamp) as date) end
{%- endmacro %}
