{# Text as a decimal number with a fixed number of places (more are rounded, half away from zero), null where it is none. #}
{% macro try_decimal(text, places) -%}
    {{ return(adapter.dispatch('try_decimal')(text, places)) }}
{%- endmacro %}

{% macro duckdb__try_decimal(text, places) -%}
    try_cast({{ text }} as decimal(18, {{ places }}))
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

{% macro spark__try_decimal(text, places) -%}
    try_cast({{ spark_number(text) }} as decimal(18, {{ places }}))
{%- endmacro %}
