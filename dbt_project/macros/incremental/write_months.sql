{# Replace the rows of some months, given as texts, by those of a relation; dbt runs both statements in one transaction. #}
{% macro write_months(table, new_rows, month_column, months, columns) %}
    {{ return(adapter.dispatch('write_months')(table, new_rows, month_column, months, columns)) }}
{% endmacro %}

{% macro default__write_months(table, new_rows, month_column, months, columns) %}
    delete from {{ table }} where {{ in_list(month_column, months, 'date') }};
    insert into {{ table }} ({{ columns }})
    select {{ columns }} from {{ new_rows }} where {{ in_list(month_column, months, 'date') }}
{% endmacro %}
