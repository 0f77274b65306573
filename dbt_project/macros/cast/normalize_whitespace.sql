{# Remove white space around a text and replace the rest by single spaces; null for a text of white space only. #}
{% macro normalize_whitespace(text) -%}
    {{ return(adapter.dispatch('normalize_whitespace')(text)) }}
{%- endmacro %}

{% macro duckdb__normalize_whitespace(text) -%}
    nullif(trim(regexp_replace({{ text }}, '\s+', ' ', 'g')), '')
{%- endmacro %}
