{#
    The CTEs of an incremental run that end in `to_validate`: the rows of new loads, and of the rows validated before those
    whose result may differ, which are the rows in changed_rows and the rows with the key of a new, deleted or changed row.
    Rows of deleted loads, and of loads that are validated again by other rules, are in `deleted`. A row of an API that was
    delivered again is validated in its new version only.
#}
{% macro rows_to_validate(staging, columns, key, references, loads) %}
    {%- set names, key_names = columns | join(', '), key | join(', ') -%}
    {%- set replaced_loads = loads.new + loads.deleted -%}
    delivered as (
        select {{ names }} from {{ staging }} where {{ in_list('_dlt_load_id', loads.new) }}
    ),

    deleted as (
        select * from {{ this }} where {{ in_list('_dlt_load_id', replaced_loads) }}
    ),

    changed as (
        {{- changed_rows(key, references, replaced_loads, loads.has_corrections) }}
    ),

    affected_keys as (
        select {{ key_names }} from delivered
        union
        select {{ key_names }} from deleted
        union
        select {{ key_names }} from changed
    ),

    {# Row ids first: reading all columns of all rows would cost the most. #}
    affected as (
        select validated._row_id
        from {{ this }} as validated
        where
            not {{ in_list('_dlt_load_id', replaced_loads) }}
            and ({{ prefix_columns('validated', key) }}) in (select {{ key_names }} from affected_keys)
        union
        select _row_id from changed
        except
        select _row_id from delivered
    ),

    to_validate as (
        select {{ names }} from delivered
        union all
        select {{ names }} from {{ this }} where _row_id in (select _row_id from affected)
    ),
{% endmacro %}
