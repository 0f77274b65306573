{# Upper case; 'ß' becomes one letter, 'ẞ'. #}
{% macro upper_case(text) -%}
    {{ return(adapter.dispatch('upper_case')(text)) }}
{%- endmacro %}

{% macro duckdb__upper_case(text) -%}
    upper({{ text }})
{%- endmacro %}

{% macro default__upper_case(text) -%}
    upper(replace({{ text }}, 'ß', 'ẞ'))
{%- endmacro %}
