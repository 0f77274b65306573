{# A select of one column, `date_day`: every day from the first to the last, both included, at most 100,000 of them. #}
{% macro all_days(first, last) -%}
    {{ return(adapter.dispatch('all_days')(first, last)) }}
{%- endmacro %}

{% macro default__all_days(first, last) -%}
    {%- set first_day = "cast('" ~ first ~ "' as date)" -%}
    {%- set last_day = "cast('" ~ last ~ "' as date)" -%}
    with digits as (
        {% for digit in range(10) -%}
        select {{ digit }} as digit{% if not loop.last %} union all {% endif %}
        {%- endfor %}
    ),

    numbers as (
        select
            ones.digit + 10 * tens.digit + 100 * hundreds.digit + 1000 * thousands.digit
            + 10000 * ten_thousands.digit as number
        from digits as ones
        cross join digits as tens
        cross join digits as hundreds
        cross join digits as thousands
        cross join digits as ten_thousands
    ),

    days as (
        select cast({{ dbt.dateadd('day', 'number', first_day) }} as date) as date_day from numbers
    )

    select date_day from days where date_day <= {{ last_day }}
{%- endmacro %}
