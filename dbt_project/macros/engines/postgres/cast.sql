{% macro postgres__is_email(text) -%}
    {#- White space is what DuckDB takes for it: \s is more here. -#}
    {%- set part = '[^ \\t\\n\\f\\r@."(),:;<>\\\\\\[\\]]+' -%}
    {%- set label = '[a-z0-9]([a-z0-9-]*[a-z0-9])?' -%}
    {{ text }} ~ '^{{ part }}(\.{{ part }})*@{{ label }}(\.{{ label }})+$'
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

{% macro postgres__normalize_whitespace(text) -%}
    (
        {#- `offset 0` keeps the planner from putting the expression in for each mention of its name. #}
        select nullif({{ strip_spaces("case when line like '%  %' then regexp_replace(line, ' +', ' ', 'g') else line end") }}, '')
        from (select translate({{ text }}, E'\t\n\f\r', '    ') as line offset 0) as one_line
    )
{%- endmacro %}

{% macro postgres__sha256_hex(text) -%}
    encode(sha256(convert_to({{ text }}, 'UTF8')), 'hex')
{%- endmacro %}

{% macro postgres__strip_spaces(text) -%}
    {#- Where all is ASCII, which has one blank: a list of characters takes ten times as long. -#}
    case
        when octet_length({{ text }}) = length({{ text }}) then btrim({{ text }})
        else btrim({{ text }}, E' \u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000')
    end
{%- endmacro %}

{% macro postgres__try_date(text) -%}
    cast({{ postgres_iso_timestamp(text, takes_offset=false) }} as date)
{%- endmacro %}

{% macro postgres__try_decimal(text, places) -%}
    {#- The outer cast, because a case without an else forgets the places. #}
    cast((
        select
            case
                when {{ postgres_is_plain_number(18 - places) }} then cast(written as decimal(18, {{ places }}))
                else (
                    select case when abs(round(number, {{ places }})) < 1e{{ 18 - places }} then number end
                    from (select {{ postgres_try_numeric() }} as number offset 0) as numbers
                )
            end
        from (select {{ text }} as written offset 0) as texts
    ) as decimal(18, {{ places }}))
{%- endmacro %}

{% macro postgres__try_double(text) -%}
    (
        select
            case
                when {{ postgres_is_plain_number(300) }} then cast(written as double precision)
                when written ~* '^[ \t\n\v\f\r]*[+-]?nan[ \t\n\v\f\r]*$' then cast('NaN' as double precision)
                when written ~* '^[ \t\n\v\f\r]*[+-]?inf(inity)?[ \t\n\v\f\r]*$' then cast(written as double precision)
                else (
                    {#- Beyond what a double holds it is infinite, or nothing, and no error. #}
                    select
                        case
                            when abs(number) >= 1.7976931348623158e308 then sign(number) * cast('Infinity' as double precision)
                            when abs(number) < 2.4703282292062328e-324 then 0
                            else cast(number as double precision)
                        end
                    from (select {{ postgres_try_numeric() }} as number offset 0) as numbers
                )
            end
        from (select {{ text }} as written offset 0) as texts
    )
{%- endmacro %}

{% macro postgres__try_integer(text, type) -%}
    {%- set digits, limit = {'integer': (10, 2147483648), 'bigint': (19, 9223372036854775808)}[type] -%}
    {%- set whole = "split_part(written, '.', 1)" -%}
    (
        select
            case
                when written !~ '^[+-]?[0-9]+([.]0*)?$' then null
                when length(written) < {{ digits }} then cast({{ whole }} as {{ type }})
                {#- A numeric has 131,072 digits before the point at most. #}
                when length(written) > 1000 then null
                when cast({{ whole }} as numeric) between -{{ limit }} and {{ limit - 1 }} then cast({{ whole }} as {{ type }})
            end
        from (select {{ text }} as written offset 0) as texts
    )
{%- endmacro %}

{# The text `written`, which is a plain number: digits, maybe with a point among or behind them. #}
{% macro postgres_is_plain_number(length) -%}
    written ~ '^-?[0-9]+([.][0-9]*)?$' and length(written) < {{ length }}
{%- endmacro %}

{# The text `written` as a numeric, null where it is none or has an exponent of more than three digits. #}
{% macro postgres_try_numeric() -%}
    {%- set digits = '[0-9]+(_[0-9]+)*' -%}
    {%- set mantissa = '(' ~ digits ~ '([.](' ~ digits ~ ')?)?|[.]' ~ digits ~ ')' -%}
    case
        when
            length(written) < 1000
            and written ~ '^[ \t\n\v\f\r]*[+-]?{{ mantissa }}([eE][+-]?0*[0-9]{1,3})?[ \t\n\v\f\r]*$'
            then cast(replace(written, '_', '') as numeric)
    end
{%- endmacro %}

{% macro postgres__try_timestamp(text, layout) -%}
    {{ postgres_timestamp_by(text, layout) if layout else postgres_iso_timestamp(text, takes_offset=true) }}
{%- endmacro %}
