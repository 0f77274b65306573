{# Hash a row's columns, with the types that they have in the table, into a number that can be summed. #}
{% macro row_hash(columns) %}
    {{ return(adapter.dispatch('row_hash')(columns)) }}
{% endmacro %}

{% macro duckdb__row_hash(columns) -%}
    cast(hash(
        {%- for column in columns %}cast({{ column.quoted }} as {{ column.dtype }}){{ ', ' if not loop.last }}{% endfor -%}
    ) as hugeint)
{%- endmacro %}
