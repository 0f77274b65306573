{# Remove the spaces around a text, all of Unicode's category Zs. #}
{% macro strip_spaces(text) -%}
    {{ return(adapter.dispatch('strip_spaces')(text)) }}
{%- endmacro %}

{% macro duckdb__strip_spaces(text) -%}
    trim({{ text }})
{%- endmacro %}
