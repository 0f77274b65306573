{#
    The end of a query whose columns are computed once a row. PostgreSQL puts the expression of a column wherever its name
    stands further out: those of staging columns in each rule, and all rules in each column that asks for them.
#}
{% macro optimizer_fence() -%}
    {{ return(adapter.dispatch('optimizer_fence')()) }}
{%- endmacro %}

{% macro default__optimizer_fence() -%}
{%- endmacro %}

{% macro postgres__optimizer_fence() -%}
    offset 0
{%- endmacro %}
