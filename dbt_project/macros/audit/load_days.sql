{# Query the loads of an entity: _dlt_load_id, loaded_at and loaded_on (UTC). #}
{% macro load_days(source_name, entity) -%}
    select
        _dlt_load_id,
        {# The session is in UTC (profiles.yml). #}
        cast(max(loaded_at) as {{ dbt.type_timestamp() }}) as loaded_at,
        cast(max(loaded_at) as date) as loaded_on
    from {{ source(source_name, 'file_loads') }}
    where entity = '{{ entity }}'
    group by _dlt_load_id
{%- endmacro %}
