{#
    Text as a whole number of the given type, null where it is none. '3.0' is 3, because spreadsheets and
    data frames write whole numbers so; '3.5' is null: a bare cast would round it.
#}
{% macro try_integer(text, type='integer') -%}
    {{ return(adapter.dispatch('try_integer')(text, type)) }}
{%- endmacro %}

{% macro duckdb__try_integer(text, type) -%}
    case when regexp_full_match({{ text }}, '[+-]?[0-9]+(\.0*)?') then try_cast({{ text }} as {{ type }}) end
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

{% macro spark__try_integer(text, type) -%}
    case when {{ text }} rlike r'^[+-]?[0-9]+(\.0*)?\z' then try_cast(split_part({{ text }}, '.', 1) as {{ type }}) end
{%- endmacro %}
