{# SHA-256 of a text as 64 hexadecimal digits: tells persons apart without naming them, but is no secret to who can guess the text. #}
{% macro hashed(text) -%}
    {{ return(adapter.dispatch('hashed')(text)) }}
{%- endmacro %}

{% macro duckdb__hashed(text) -%}
    sha256({{ text }})
{%- endmacro %}

{% macro postgres__hashed(text) -%}
    encode(sha256(convert_to({{ text }}, 'UTF8')), 'hex')
{%- endmacro %}

{% macro spark__hashed(text) -%}
    sha2({{ text }}, 256)
{%- endmacro %}
