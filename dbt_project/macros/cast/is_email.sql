{#
    Whether a text in lower case is written like an e-mail address: a local part without spaces, quotes and doubled dots,
    an @, and a domain of at least two labels (RFC 5321, 4.1.2, without quoted local parts and address literals). Both may
    have letters of any script (RFC 6531), so of characters outside ASCII only blanks are refused.
#}
{% macro is_email(text) -%}
    {{ return(adapter.dispatch('is_email')(text)) }}
{%- endmacro %}

{% macro duckdb__is_email(text) -%}
    regexp_full_match({{ text }}, '{{ email_pattern() }}')
{%- endmacro %}

{% macro email_pattern() -%}
    {%- set part = '[^ \\t\\n\\f\\r@."(),:;<>\\\\\\[\\]]+' -%}
    {%- set letter = "[a-z0-9\u00a1-\u1fff\u2c00-\U0010ffff]" -%}
    {%- set label = letter ~ '((' ~ letter ~ '|-)*' ~ letter ~ ')?' -%}
    {{ part }}(\.{{ part }})*@{{ label }}(\.{{ label }})+
{%- endmacro %}
