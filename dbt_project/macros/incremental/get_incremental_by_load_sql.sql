{#
    Incremental strategy `by_load`, for models of apply_quality_rules. A run gives the rows whose validation result is new,
    which replace the rows with the same `unique_key`, and rows with row_status 'deleted', which are deleted only.
#}
{% macro get_incremental_by_load_sql(arg_dict) %}
    {{ return(adapter.dispatch('get_incremental_by_load_sql')(
        arg_dict['target_relation'], arg_dict['temp_relation'], config.require('unique_key'),
        arg_dict['dest_columns'] | map(attribute='quoted') | join(', '),
    )) }}
{% endmacro %}

{# dbt runs both statements in one transaction. #}
{% macro default__get_incremental_by_load_sql(table, new_rows, key, columns) %}
    delete from {{ table }} where {{ key }} in (select {{ key }} from {{ new_rows }});
    insert into {{ table }} ({{ columns }})
    select {{ columns }} from {{ new_rows }} where row_status <> 'deleted'
{% endmacro %}
