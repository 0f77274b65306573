{#
    One key from several columns: md5 of the values, each written as its length and itself, so that no two
    different lists of values give one text ('a|b', null and 'a', 'b' differ). Pass no double: engines write them differently.
#}
{% macro surrogate_key(columns) -%}
    {{ return(adapter.dispatch('surrogate_key')(columns)) }}
{%- endmacro %}

{% macro default__surrogate_key(columns) -%}
    {%- set text = dbt.type_string() -%}
    md5(
        {%- for column in columns %}
        {%- set value = 'cast(' ~ column ~ ' as ' ~ text ~ ')' %}
        coalesce(cast(length({{ value }}) as {{ text }}) || ':' || {{ value }}, '-')
        {%- if not loop.last %} || {% endif %}
        {%- endfor %}
    )
{%- endmacro %}
