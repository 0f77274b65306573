{#
    Hash several columns to one key: the first 60 bits of an md5, as a non-negative number. Each value is preceded by its
    length, so that different lists of values never give the same text. Do not pass doubles: engines print them
    differently. A number takes a quarter of the space of a hexadecimal hash, and joins are three times as fast. Among a
    million keys the chance of a collision is 1 in 2 million; the primary_key tests would fail.
#}
{% macro surrogate_key(columns) -%}
    {%- set text = dbt.type_string() -%}
    {%- set written -%}
        {%- for column in columns %}
        {%- set value = 'cast(' ~ column ~ ' as ' ~ text ~ ')' %}
        coalesce(cast(length({{ value }}) as {{ text }}) || ':' || {{ value }}, '-')
        {%- if not loop.last %} || {% endif %}
        {%- endfor %}
    {%- endset -%}
    {{ bigint_of_md5(written) }}
{%- endmacro %}

{# The first 15 of the 32 hexadecimal digits of a text's md5, as a bigint. #}
{% macro bigint_of_md5(text) -%}
    {{ return(adapter.dispatch('bigint_of_md5')(text)) }}
{%- endmacro %}

{% macro duckdb__bigint_of_md5(text) -%}
    cast('0x' || substr(md5({{ text }}), 1, 15) as bigint)
{%- endmacro %}
