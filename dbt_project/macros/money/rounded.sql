{# A floating-point number with so many digits after the point: engines add up in another order, and the last digits differ. #}
{% macro rounded(number, digits) -%}
    cast(cast({{ number }} as decimal(38, {{ digits }})) as {{ double_type() }})
{%- endmacro %}

{# The name of the 64-bit floating-point type; dbt.type_float() is one of 32 bits on some engines. #}
{% macro double_type() -%}
    {{ return(adapter.dispatch('double_type')()) }}
{%- endmacro %}

{% macro default__double_type() -%}
    double precision
{%- endmacro %}

{% macro spark__double_type() -%}
    double
{%- endmacro %}
