{#
    Ends a query whose columns are to be computed once per row. PostgreSQL copies a column's expression to every place that
    names the column: those of the staging model into each rule, and all rules into each column that reads them.
#}
{% macro optimizer_fence() -%}
    {{ return(adapter.dispatch('optimizer_fence')()) }}
{%- endmacro %}

{% macro default__optimizer_fence() -%}
{%- endmacro %}
