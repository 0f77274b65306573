{% macro spark__is_email(text) -%}
    {%- set part = '[^ \\t\\n\\f\\r@."(),:;<>\\\\\\[\\]]+' -%}
    {%- set label = '[a-z0-9]([a-z0-9-]*[a-z0-9])?' -%}
    {{ text }} rlike r'^{{ part }}(\.{{ part }})*@{{ label }}(\.{{ label }})+\z'
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

{% macro spark__normalize_whitespace(text) -%}
    nullif({{ strip_spaces("regexp_replace(" ~ text ~ ", r'[ \\t\\n\\f\\r]+', ' ')") }}, '')
{%- endmacro %}

{% macro spark__sha256_hex(text) -%}
    sha2({{ text }}, 256)
{%- endmacro %}

{% macro spark__strip_spaces(text) -%}
    btrim({{ text }}, ' \u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000')
{%- endmacro %}

{% macro spark__try_date(text) -%}
    cast({{ spark_iso_timestamp(text, takes_offset=false) }} as date)
{%- endmacro %}

{% macro spark__try_decimal(text, places) -%}
    try_cast({{ spark_number(text) }} as decimal(18, {{ places }}))
{%- endmacro %}

{% macro spark__try_double(text) -%}
    coalesce(
        try_cast({{ spark_number(text) }} as double),
        case
            when {{ text }} rlike r'^(?i)[ \t\n\x0b\f\r]*[+-]?nan[ \t\n\x0b\f\r]*\z' then double('NaN')
            when {{ text }} rlike r'^(?i)[ \t\n\x0b\f\r]*[+]?inf(inity)?[ \t\n\x0b\f\r]*\z' then double('Infinity')
            when {{ text }} rlike r'^(?i)[ \t\n\x0b\f\r]*-inf(inity)?[ \t\n\x0b\f\r]*\z' then double('-Infinity')
        end
    )
{%- endmacro %}

{% macro spark__try_integer(text, type) -%}
    case when {{ text }} rlike r'^[+-]?[0-9]+(\.0*)?\z' then try_cast(split_part({{ text }}, '.', 1) as {{ type }}) end
{%- endmacro %}

{#
    A text that is a number as DuckDB writes it, without blanks and underscores, null where it is none: Spark also takes '1d'
    and '0x1p3' for a number, and no '1_000'.
#}
{% macro spark_number(text) -%}
    {%- set digits = '[0-9]+(_[0-9]+)*' -%}
    {%- set mantissa = '(' ~ digits ~ '([.](' ~ digits ~ ')?)?|[.]' ~ digits ~ ')' -%}
    case
        when
            length({{ text }}) < 1000
            and {{ text }} rlike r'^[ \t\n\x0b\f\r]*[+-]?{{ mantissa }}([eE][+-]?0*[0-9]{1,3})?[ \t\n\x0b\f\r]*\z'
            then btrim(replace({{ text }}, '_', ''), ' \t\n\u000b\f\r')
    end
{%- endmacro %}

{% macro spark__try_timestamp(text, layout) -%}
    {{ spark_timestamp_by(text, layout) if layout else spark_iso_timestamp(text, takes_offset=true) }}
{%- endmacro %}
