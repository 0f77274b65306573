{# Query the loads of an entity: _dlt_load_id, loaded_at and loaded_on (UTC). Of an API, only the last load is there. #}
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

{# The day (UTC) of a load by its id, with which dlt says how many seconds after the start of 1970 it began. #}
{% macro load_day(load_id) -%}
    cast(
        {{ dbt.dateadd(
            'day', 'cast(floor(' ~ try_double(load_id) ~ ' / 86400) as integer)', "cast('1970-01-01' as date)"
        ) }} as date
    )
{%- endmacro %}
