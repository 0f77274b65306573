{#
    Regular expressions for the texts that DuckDB casts to a number, a timestamp or JSON. PostgreSQL's casts fail for a text
    that they cannot read, and Spark's accept other texts, so both engines check the text first. The caller adds the end: PostgreSQL's
    `$`, or Java's `\z`.
#}

{# Blanks around it, a sign, an exponent of up to three digits, '.5' and '5.'. #}
{% macro number_pattern() -%}
    ^[ \t\n\x0b\f\r]*[+-]?([0-9]+([.][0-9]*)?|[.][0-9]+)([eE][+-]?0*[0-9]{1,3})?[ \t\n\x0b\f\r]*
{%- endmacro %}

{# ISO 8601, also with '/', blanks or '\' between year, month and day. #}
{% macro iso_timestamp_pattern() -%}
    {%- set blank = '[ \\t\\n\\x0b\\f\\r]' -%}
    {%- set day = '([0-9]{1,6})([-/ \\\\])([0-9]{1,2})\\2([0-9]{1,2})' -%}
    {%- set offset = 'Z| UTC|([+-])([0-9]{2})(?::?([0-9]{2})(?::?([0-9]{2}))?)?:?' -%}
    {%- set time = '([0-9]{1,2}):([0-9]{1,2})?(?::([0-9]{1,2})?(?:[.]([0-9]{0,6})[0-9]*)?(?:' ~ offset ~ ')?)?' -%}
    ^{{ blank }}*{{ day }}(?:(?:T|{{ blank }}){{ blank }}*{{ time }}{{ blank }}*)?
{%- endmacro %}

{#
    A JSON object with values that are nested one level deep. No text of PostgreSQL has \u0000, and half of a surrogate pair
    is no character. `possessive`: '+' for Java, whose matcher recurses for each repetition that it may give back.
#}
{% macro json_object_pattern(possessive='') -%}
    {%- set blanks = '[ \\t\\n\\r]*' ~ possessive -%}
    {%- set character = 'u(?!0000|[dD][89a-fA-F])[0-9a-fA-F]{4}|u[dD][89abAB][0-9a-fA-F]{2}\\\\u[dD][c-fC-F][0-9a-fA-F]{2}' -%}
    {%- set string = '"([^"\\\\\\x01-\\x1f]' ~ possessive * 2 ~ '|\\\\(["\\\\/bfnrt]|' ~ character ~ '))*' ~ possessive ~ '"' -%}
    {%- set digits = '[0-9]+' ~ possessive -%}
    {%- set flat = '(' ~ string ~ '|-?(0|[1-9][0-9]*' ~ possessive ~ ')([.]' ~ digits ~ ')?([eE][+-]?' ~ digits ~ ')?|true|false|null)' -%}
    {%- set list = json_list_pattern('[\\[]', '[\\]]', flat, blanks) -%}
    {%- set object = json_list_pattern('[{]', '[}]', string ~ blanks ~ ':' ~ blanks ~ flat, blanks) -%}
    {%- set value = '(' ~ flat ~ '|' ~ list ~ '|' ~ object ~ ')' -%}
    ^{{ blanks }}{{ json_list_pattern('[{]', '[}]', string ~ blanks ~ ':' ~ blanks ~ value, blanks) }}{{ blanks }}
{%- endmacro %}

{# Items between brackets, with commas between them. #}
{% macro json_list_pattern(opening, closing, item, blanks) -%}
    {{ opening }}{{ blanks }}({{ item }}({{ blanks }},{{ blanks }}{{ item }})*)?{{ blanks }}{{ closing }}
{%- endmacro %}
