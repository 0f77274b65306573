{#
    Whether a text in lower case is written like an e-mail address: a local part without spaces, quotes and doubled dots,
    an @, and a domain of at least two labels (RFC 5321, 4.1.2, without quoted local parts and address literals).
#}
{% macro is_email(text) -%}
    {{ return(adapter.dispatch('is_email')(text)) }}
{%- endmacro %}

{% macro duckdb__is_email(text) -%}
    regexp_full_match({{ text }}, '{{ email_pattern() }}')
{%- endmacro %}

{% macro email_pattern() -%}
    {%- set part = '[^ \\t\\n\\f\\r@."(),:;<>\\\\\\[\\]]+' -%}
    {%- set label = '[a-z0-9]([a-z0-9-]*[a-z0-9])?' -%}
    {{ part }}(\.{{ part }})*@{{ label }}(\.{{ label }})+
{%- endmacro %}
