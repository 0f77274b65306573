{# SHA-256 of a text as 64 hexadecimal digits: tells persons apart without naming them, but is no secret to who can guess the text. #}
{% macro sha256_hex(text) -%}
    {{ return(adapter.dispatch('sha256_hex')(text)) }}
{%- endmacro %}

{% macro duckdb__sha256_hex(text) -%}
    sha256({{ text }})
{%- endmacro %}
