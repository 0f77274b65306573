{% macro spark__row_hash(columns) -%}
    cast(xxhash64(
        {%- for column in columns %}cast({{ column.quoted }} as {{ column.dtype }}){{ ', ' if not loop.last }}{% endfor -%}
    ) as decimal(20, 0))
{%- endmacro %}

{% macro spark__views_in(schema) %}
    {{ return(run_query('show views in ' ~ schema).columns['viewName'].values()) }}
{% endmacro %}

{# An overwrite replaces the partitions that have new rows; months without new rows are dropped. #}
{% macro spark__write_months(table, new_rows, month_column, months, columns) %}
    {% set written = run_query(
        'select distinct cast(' ~ month_column ~ ' as string) from ' ~ new_rows ~ ' where ' ~ in_list(month_column, months, 'date')
    ).columns[0].values() | list %}
    {% do drop_partitions(table, month_column, months | reject('in', written) | list) %}
    insert overwrite table {{ table }}
    select {{ columns }} from {{ new_rows }} where {{ in_list(month_column, written, 'date') }}
{% endmacro %}

{#
    Partitions are loads. Spark has no transaction, so new loads, by which the next run knows what has been validated, are
    written last: the run after one that was interrupted does all of its work again.
#}
{% macro spark__get_incremental_by_load_sql(table, new_rows, key, columns) %}
    {# Stored, because the new rows are computed from the table that they are written to, and are read several times. #}
    {% set stored = store_new_rows(table, 'select * from ' ~ new_rows) %}
    {% set known_loads = run_query('select distinct _dlt_load_id from ' ~ table).columns[0].values() %}
    {% set loads = {'updated': [], 'new': [], 'deleted': []} %}
    {% for load_id, has_rows, had_rows in run_query(
        "select _dlt_load_id, bool_or(row_status <> 'deleted'), bool_or(row_status = 'deleted') from " ~ stored ~ ' group by _dlt_load_id'
    ).rows %}
        {% set is_complete = had_rows or load_id not in known_loads %}
        {% do loads['deleted' if not has_rows else ('new' if is_complete else 'updated')].append(load_id) %}
    {% endfor %}
    {% if loads.updated %}
        {% do run_query(
            'insert overwrite table ' ~ table
            ~ ' select ' ~ columns ~ ' from ' ~ stored ~ ' where ' ~ in_list('_dlt_load_id', loads.updated)
            ~ ' union all select ' ~ columns ~ ' from ' ~ table ~ ' where ' ~ in_list('_dlt_load_id', loads.updated)
            ~ ' and ' ~ key ~ ' not in (select ' ~ key ~ ' from ' ~ stored ~ ')'
        ) %}
    {% endif %}
    {% if loads.new %}
        {% do run_query(
            'insert overwrite table ' ~ table ~ ' select ' ~ columns ~ ' from ' ~ stored
            ~ " where row_status <> 'deleted' and " ~ in_list('_dlt_load_id', loads.new)
        ) %}
    {% endif %}
    {% do drop_partitions(table, '_dlt_load_id', loads.deleted) %}
    drop table {{ stored }}
{% endmacro %}

{# Parquet tables delete whole partitions only. The tables with this strategy are small, so they are written as a whole. #}
{% macro spark__get_incremental_delete_insert_sql(arg_dict) %}
    {% set table, new_rows = arg_dict['target_relation'], arg_dict['temp_relation'] %}
    {% set columns = arg_dict['dest_columns'] | map(attribute='quoted') | join(', ') %}
    {% set same_key %}
        {% for column in arg_dict['unique_key'] %}{{ 'and ' if not loop.first }}old.{{ column }} = new.{{ column }} {% endfor %}
    {% endset %}
    {% set stored = store_new_rows(
        table, 'select ' ~ columns ~ ' from ' ~ new_rows ~ ' union all select ' ~ columns
        ~ ' from ' ~ table ~ ' as old left anti join ' ~ new_rows ~ ' as new on ' ~ same_key
    ) %}
    {% do run_query('insert overwrite table ' ~ table ~ ' select ' ~ columns ~ ' from ' ~ stored) %}
    drop table {{ stored }}
{% endmacro %}

{% macro store_new_rows(table, query) %}
    {% set stored = table.incorporate(path={'identifier': table.identifier ~ '__dbt_new'}, type='table') %}
    {% do adapter.drop_relation(stored) %}
    {% do run_query('create table ' ~ stored ~ ' using parquet as ' ~ query) %}
    {{ return(stored) }}
{% endmacro %}

{% macro drop_partitions(table, column, values) %}
    {% if values %}
        {% set partitions %}
            {%- for value in values %}partition ({{ column }} = '{{ value }}'){{ ', ' if not loop.last }}{% endfor -%}
        {% endset %}
        {% do run_query('alter table ' ~ table ~ ' drop if exists ' ~ partitions) %}
    {% endif %}
{% endmacro %}
