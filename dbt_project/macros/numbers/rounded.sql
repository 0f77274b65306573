{#
    A floating-point number with so many digits after the point: engines add up in another order, and the last digits differ.
    Of 64 bits; dbt.type_float() is one of 32 bits on some engines.
#}
{% macro rounded(number, digits) -%}
    cast(cast({{ number }} as decimal(38, {{ digits }})) as {{ contract_type('double precision') }})
{%- endmacro %}
