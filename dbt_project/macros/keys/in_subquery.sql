{#
    Whether a value is among those of a query that has no nulls. Not a left join: DuckDB may build its hash table from the
    side with millions of rows, and of this form it always builds it from the query.
#}
{% macro in_subquery(value, query) -%}
    coalesce({{ value }} in ({{ query }}), false)
{%- endmacro %}
