{#
    The configuration of a judged model: `{{ config(**judge_loads()) }}`. A run brings the rows on which the verdict is
    new (see judged_rows); rows with the fate 'gone' only leave.
#}
{% macro judge_loads() %}
    {{ return(adapter.dispatch('judge_loads')()) }}
{% endmacro %}

{% macro default__judge_loads() %}
    {{ return({
        'materialized': 'incremental',
        'incremental_strategy': 'judge_loads',
        'unique_key': '_row_id',
        'indexes': indexes_on(['_row_id']),
        'on_schema_change': 'fail',
    }) }}
{% endmacro %}

{% macro spark__judge_loads() %}
    {{ return({'materialized': 'table'}) }}
{% endmacro %}

{# dbt's incremental materialisation finds the strategy by this name, and runs both statements in one transaction. #}
{% macro get_incremental_judge_loads_sql(arg_dict) %}
    {% set target_table = arg_dict['target_relation'] %}
    {% set new_rows = arg_dict['temp_relation'] %}
    {% set names = arg_dict['dest_columns'] | map(attribute='quoted') | join(', ') %}
    delete from {{ target_table }} where _row_id in (select _row_id from {{ new_rows }});
    insert into {{ target_table }} ({{ names }})
    select {{ names }} from {{ new_rows }} where fate <> 'gone'
{% endmacro %}
