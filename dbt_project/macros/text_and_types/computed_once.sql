{#
    The end of a query whose columns are computed once a row. PostgreSQL puts the expression of a column wherever its name
    stands further out: those of typed columns in each rule, and all rules in each column that asks for them.
#}
{% macro computed_once() -%}
    {{ return(adapter.dispatch('computed_once')()) }}
{%- endmacro %}

{% macro default__computed_once() -%}
{%- endmacro %}

{% macro postgres__computed_once() -%}
    offset 0
{%- endmacro %}
