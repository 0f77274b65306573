{#
    The configuration of a validated model: `{{ config(**incremental_by_load()) }}`. A run brings the rows on which the verdict is
    new (see apply_quality_rules); rows with the row_status 'gone' only leave.
#}
{% macro incremental_by_load() %}
    {{ return({
        'materialized': 'incremental',
        'incremental_strategy': 'incremental_by_load',
        'unique_key': '_row_id',
        'indexes': indexes_on(['_row_id']),
        'partition_by': partitions_on('_dlt_load_id'),
        'on_schema_change': 'fail',
    }) }}
{% endmacro %}

{# dbt's incremental materialisation finds the strategy by this name, and runs both statements in one transaction. #}
{% macro get_incremental_incremental_by_load_sql(arg_dict) %}
    {% set names = arg_dict['dest_columns'] | map(attribute='quoted') | join(', ') %}
    {{ return(adapter.dispatch('write_validated')(arg_dict['target_relation'], arg_dict['temp_relation'], names)) }}
{% endmacro %}

{% macro default__write_validated(target_table, new_rows, names) %}
    delete from {{ target_table }} where _row_id in (select _row_id from {{ new_rows }});
    insert into {{ target_table }} ({{ names }})
    select {{ names }} from {{ new_rows }} where row_status <> 'gone'
{% endmacro %}

{#
    Spark replaces partitions, which here are loads, and has no transaction. So the loads that tell the next run what is to
    be validated come last: a run after one that broke off does all of it again.
#}
{% macro spark__write_validated(target_table, new_rows, names) %}
    {# The verdicts are made from the table that they go into, and are read several times. #}
    {% set verdicts = target_table.incorporate(path={'identifier': target_table.identifier ~ '__dbt_new'}, type='table') %}
    {% do adapter.drop_relation(verdicts) %}
    {% do run_query('create table ' ~ verdicts ~ ' using parquet as select * from ' ~ new_rows) %}
    {% set validated_before = run_query('select distinct _dlt_load_id from ' ~ target_table).columns[0].values() %}
    {% set loads = {'standing': [], 'new': [], 'gone': []} %}
    {% for load_id, has_rows, had_rows in run_query(
        "select _dlt_load_id, bool_or(row_status <> 'gone'), bool_or(row_status = 'gone') from " ~ verdicts ~ ' group by _dlt_load_id'
    ).rows %}
        {% set is_whole = had_rows or load_id not in validated_before %}
        {% do loads['gone' if not has_rows else ('new' if is_whole else 'standing')].append(load_id) %}
    {% endfor %}
    {% if loads.standing %}
        {% do run_query(
            'insert overwrite table ' ~ target_table
            ~ ' select ' ~ names ~ ' from ' ~ verdicts ~ ' where ' ~ in_loads(loads.standing)
            ~ ' union all select ' ~ names ~ ' from ' ~ target_table ~ ' where ' ~ in_loads(loads.standing)
            ~ ' and _row_id not in (select _row_id from ' ~ verdicts ~ ')'
        ) %}
    {% endif %}
    {% if loads.new %}
        {% do run_query(
            'insert overwrite table ' ~ target_table ~ ' select ' ~ names ~ ' from ' ~ verdicts
            ~ " where row_status <> 'gone' and " ~ in_loads(loads.new)
        ) %}
    {% endif %}
    {% do drop_partitions(target_table, '_dlt_load_id', loads.gone) %}
    drop table {{ verdicts }}
{% endmacro %}
