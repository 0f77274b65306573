{# A field of a JSON object as text; null if the text is no JSON, no object, or has no such field. #}
{% macro json_text(text, field) -%}
    {{ return(adapter.dispatch('json_text')(text, field)) }}
{%- endmacro %}

{% macro duckdb__json_text(text, field) -%}
    json_extract_string(try_cast({{ text }} as json), '$.{{ field }}')
{%- endmacro %}

{# A regular expression of what stands between two brackets with commas between. #}
{% macro json_form(opening, closing, item, blanks) -%}
    {{ opening }}{{ blanks }}({{ item }}({{ blanks }},{{ blanks }}{{ item }})*)?{{ blanks }}{{ closing }}
{%- endmacro %}
