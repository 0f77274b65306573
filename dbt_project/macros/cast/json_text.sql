{# A field of a JSON object as text; null if the text is not a JSON object or has no such field. #}
{% macro json_text(text, field) -%}
    {{ return(adapter.dispatch('json_text')(text, field)) }}
{%- endmacro %}

{% macro duckdb__json_text(text, field) -%}
    json_extract_string(try_cast({{ text }} as json), '$.{{ field }}')
{%- endmacro %}
