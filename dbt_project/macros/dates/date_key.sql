{# Key of a day in dim_dates: 20220418, or 0, the unknown day, for null. #}
{% macro date_key(date) -%}
    cast(
        coalesce(
            extract(year from {{ date }}) * 10000 + extract(month from {{ date }}) * 100 + extract(day from {{ date }}),
            0
        ) as integer
    )
{%- endmacro %}
