{#
    Cast a text to a whole number of the given type, or null. '3.0' is 3, as spreadsheets and data frames write it; '3.5' is
    null, although a plain cast would round it.
#}
{% macro try_integer(text, type='integer') -%}
    {{ return(adapter.dispatch('try_integer')(text, type)) }}
{%- endmacro %}

{% macro duckdb__try_integer(text, type) -%}
    case when regexp_full_match({{ text }}, '[+-]?[0-9]+(\.0*)?') then try_cast({{ text }} as {{ type }}) end
{%- endmacro %}
