{% macro postgres__fits(text, form) -%}
    {{ text }} ~ '^({{ form }})$'
{%- endmacro %}

{% macro postgres__is_email(text) -%}
    {{ text }} ~ '^{{ email_pattern() }}$'
{%- endmacro %}

{% macro postgres__json_text(text, field) -%}
    case when {{ text }} ~ '{{ json_object_pattern() }}$' then cast({{ text }} as json) ->> '{{ field }}' end
{%- endmacro %}

{% macro postgres__normalize_whitespace(text) -%}
    (
        {#- `offset 0` keeps the planner from repeating the expression wherever its name is used. #}
        select nullif({{ strip_spaces("case when line like '%  %' then regexp_replace(line, ' +', ' ', 'g') else line end") }}, '')
        from (select translate({{ text }}, E'\t\n\f\r', '    ') as line offset 0) as one_line
    )
{%- endmacro %}

{% macro postgres__sha256_hex(text) -%}
    encode(sha256(convert_to({{ text }}, 'UTF8')), 'hex')
{%- endmacro %}

{% macro postgres__strip_spaces(text) -%}
    {#- ASCII has one space character; stripping a list of characters takes ten times as long. -#}
    case
        when octet_length({{ text }}) = length({{ text }}) then btrim({{ text }})
        else btrim({{ text }}, E' \u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000')
    end
{%- endmacro %}

{% macro postgres__try_date(text) -%}
    cast({{ postgres_iso_timestamp(text, takes_offset=false) }} as date)
{%- endmacro %}

{% macro postgres__try_decimal(text, places) -%}
    {#- The outer cast is needed because a case without else loses the scale. #}
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
                else (
                    {#- Beyond a double's range: null, or zero, as on DuckDB. #}
                    select
                        case
                            when abs(number) >= 1.7976931348623158e308 then null
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
                {#- A numeric has at most 131,072 digits before the point. #}
                when length(written) > 1000 then null
                when cast({{ whole }} as numeric) between -{{ limit }} and {{ limit - 1 }} then cast({{ whole }} as {{ type }})
            end
        from (select {{ text }} as written offset 0) as texts
    )
{%- endmacro %}

{# Whether the text `written` is digits, with at most one point after the first. #}
{% macro postgres_is_plain_number(length) -%}
    written ~ '^-?[0-9]+([.][0-9]*)?$' and length(written) < {{ length }}
{%- endmacro %}

{# The text `written` as a numeric, null where it is not a number. #}
{% macro postgres_try_numeric() -%}
    case
        when length(written) < 1000 and written ~ '{{ number_pattern() }}$' then cast(written as numeric)
    end
{%- endmacro %}

{% macro postgres__try_local_timestamp(text) -%}
    {%- set local = without_new_york_offset(text) -%}
    case when not {{ has_offset(local) }} then {{ postgres_iso_timestamp(local, takes_offset=false) }} end
{%- endmacro %}

{% macro postgres__try_timestamp(text, layout) -%}
    {{ postgres_timestamp_by(text, layout) if layout else postgres_iso_timestamp(text, takes_offset=true) }}
{%- endmacro %}

{% macro postgres__matches(text, pattern) -%}
    {{ text }} ~ '{{ dbt.escape_single_quotes(pattern) }}'
{%- endmacro %}
