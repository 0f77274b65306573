{#
    Text as a whole number of the given type, null where it is none. '3.0' is 3, because spreadsheets and
    data frames write whole numbers so; '3.5' is null: a bare cast would round it.
#}
{% macro try_integer(text, type='integer') -%}
    {{ return(adapter.dispatch('try_integer')(text, type)) }}
{%- endmacro %}

{% macro duckdb__try_integer(text, type) -%}
    case when regexp_full_match({{ text }}, '[+-]?[0-9]+(\.0*)?') then try_cast({{ text }} as {{ type }}) end
{%- endmacro %}
