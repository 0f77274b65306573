{#
    Text without blanks and tabs around it; text of them alone is null. For ids and numbers, of which `normalize_whitespace` has nothing
    to normalize_whitespace: it costs a tenth.
#}
{% macro trimmed(text) -%}
    {{ return(adapter.dispatch('trimmed')(text)) }}
{%- endmacro %}

{% macro duckdb__trimmed(text) -%}
    {#- trim() with a list of characters takes twice as long. -#}
    nullif(trim(case when contains({{ text }}, chr(9)) then replace({{ text }}, chr(9), ' ') else {{ text }} end), '')
{%- endmacro %}

{% macro default__trimmed(text) -%}
    nullif({{ strip_spaces("replace(" ~ text ~ ", chr(9), ' ')") }}, '')
{%- endmacro %}
