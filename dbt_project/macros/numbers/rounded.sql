{#
    Round a double, because engines add in different orders and the last digits differ. dbt.type_float() has 32 bits on some
    engines.
#}
{% macro rounded(number, digits) -%}
    cast(cast({{ number }} as decimal(38, {{ digits }})) as {{ contract_type('double precision') }})
{%- endmacro %}
