{#
    dbt's own forms of `dbt.datediff`, where they are no whole numbers, take long or fail; the parts of time that a model asks
    for here, and those alone.
#}

{% macro postgres__datediff(first_date, second_date, datepart) -%}
    {%- if datepart == 'day' -%}
        case when isfinite({{ first_date }}) and isfinite({{ second_date }}) then
            cast(cast({{ second_date }} as date) - cast({{ first_date }} as date) as bigint)
        end
    {%- elif datepart == 'second' -%}
        case when isfinite({{ first_date }}) and isfinite({{ second_date }}) then
            cast(floor(extract(epoch from {{ second_date }})) - floor(extract(epoch from {{ first_date }})) as bigint)
        end
    {%- else -%}
        {{ return(dbt.postgres__datediff(first_date, second_date, datepart)) }}
    {%- endif -%}
{%- endmacro %}

{% macro spark__datediff(first_date, second_date, datepart) -%}
    {%- if datepart == 'day' -%}
        cast(datediff({{ second_date }}, {{ first_date }}) as bigint)
    {%- elif datepart == 'second' -%}
        unix_seconds(cast({{ second_date }} as timestamp)) - unix_seconds(cast({{ first_date }} as timestamp))
    {%- else -%}
        {{ exceptions.raise_compiler_error("datediff by " ~ datepart ~ " is not written for Spark (macros/dates/datediff.sql)") }}
    {%- endif -%}
{%- endmacro %}
