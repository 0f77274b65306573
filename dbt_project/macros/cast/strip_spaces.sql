{# Text without the blanks around it, of whichever width and script (Unicode's category Zs). #}
{% macro strip_spaces(text) -%}
    {{ return(adapter.dispatch('strip_spaces')(text)) }}
{%- endmacro %}

{% macro duckdb__strip_spaces(text) -%}
    trim({{ text }})
{%- endmacro %}
