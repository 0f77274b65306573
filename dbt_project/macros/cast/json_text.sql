{# A field of a JSON object as text; null if the text is no JSON, no object, or has no such field. #}
{% macro json_text(text, field) -%}
    {{ return(adapter.dispatch('json_text')(text, field)) }}
{%- endmacro %}

{% macro duckdb__json_text(text, field) -%}
    json_extract_string(try_cast({{ text }} as json), '$.{{ field }}')
{%- endmacro %}

{% macro postgres__json_text(text, field) -%}
    {#- PostgreSQL raises an error for a text that is no JSON; the form of an object, in which others are one level deep, tells it. -#}
    {%- set blanks = '[ \\t\\n\\r]*' -%}
    {#- \u0000 is in no text of PostgreSQL's, and one half of a pair of surrogates is no character. #}
    {%- set character = 'u(?!0000|[dD][89a-fA-F])[0-9a-fA-F]{4}|u[dD][89abAB][0-9a-fA-F]{2}\\\\u[dD][c-fC-F][0-9a-fA-F]{2}' -%}
    {%- set string = '"([^"\\\\\\x01-\\x1f]|\\\\(["\\\\/bfnrt]|' ~ character ~ '))*"' -%}
    {%- set flat = '(' ~ string ~ '|-?(0|[1-9][0-9]*)([.][0-9]+)?([eE][+-]?[0-9]+)?|true|false|null)' -%}
    {%- set list = json_form('[[]', '[]]', flat, blanks) -%}
    {%- set object = json_form('[{]', '[}]', string ~ blanks ~ ':' ~ blanks ~ flat, blanks) -%}
    {%- set value = '(' ~ flat ~ '|' ~ list ~ '|' ~ object ~ ')' -%}
    case
        when {{ text }} ~ '^{{ blanks }}{{ json_form('[{]', '[}]', string ~ blanks ~ ':' ~ blanks ~ value, blanks) }}{{ blanks }}$'
            then cast({{ text }} as json) ->> '{{ field }}'
    end
{%- endmacro %}

{# A regular expression of what stands between two brackets with commas between. #}
{% macro json_form(opening, closing, item, blanks) -%}
    {{ opening }}{{ blanks }}({{ item }}({{ blanks }},{{ blanks }}{{ item }})*)?{{ blanks }}{{ closing }}
{%- endmacro %}

{% macro spark__json_text(text, field) -%}
    {#- Spark takes more for JSON; so that the form is told here. Possessive: Java's matcher calls itself for what it may give back. -#}
    {%- set blanks = '[ \\t\\n\\r]*+' -%}
    {%- set character = 'u(?!0000|[dD][89a-fA-F])[0-9a-fA-F]{4}|u[dD][89abAB][0-9a-fA-F]{2}\\\\u[dD][c-fC-F][0-9a-fA-F]{2}' -%}
    {%- set string = '"([^"\\\\\\x01-\\x1f]++|\\\\(["\\\\/bfnrt]|' ~ character ~ '))*+"' -%}
    {%- set flat = '(' ~ string ~ '|-?(0|[1-9][0-9]*+)([.][0-9]++)?([eE][+-]?[0-9]++)?|true|false|null)' -%}
    {%- set list = json_form('[\\[]', '[\\]]', flat, blanks) -%}
    {%- set object = json_form('[{]', '[}]', string ~ blanks ~ ':' ~ blanks ~ flat, blanks) -%}
    {%- set value = '(' ~ flat ~ '|' ~ list ~ '|' ~ object ~ ')' -%}
    case
        when {{ text }} rlike r'^{{ blanks }}{{ json_form('[{]', '[}]', string ~ blanks ~ ':' ~ blanks ~ value, blanks) }}{{ blanks }}\z'
            then get_json_object({{ text }}, '$.{{ field }}')
    end
{%- endmacro %}
