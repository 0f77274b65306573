{# Text as a double, null where it is none. #}
{% macro try_double(text) -%}
    {{ return(adapter.dispatch('try_double')(text)) }}
{%- endmacro %}

{% macro duckdb__try_double(text) -%}
    try_cast({{ text }} as double)
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
