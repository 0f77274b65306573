{#
    The mart audit_<domain>__row_counts of a domain that does not load files: one row per raw table, with the number of rows
    that its facts hold.
    `tables`: list of {entity, raw, facts}, `facts` a list of relations that together hold every raw row once.
#}
{% macro rows_of_facts(tables) %}
    {%- for table in tables %}
    select
        '{{ table.entity }}' as entity,
        '(the platform)' as source_file,
        raw_rows.row_count as rows_read,
        cast(0 as bigint) as rows_rejected,
        cast(0 as bigint) as rows_quarantined,
        cast(0 as bigint) as rows_superseded,
        cast(
            {%- for fact in table.facts %} (select count(*) from {{ fact }}){{ ' +' if not loop.last }}{% endfor %} as bigint
        ) as rows_clean,
        cast(null as {{ dbt.type_timestamp() }}) as loaded_at
    from (select count(*) as row_count from {{ table.raw }}) as raw_rows
    {% if not loop.last %}union all{% endif %}
    {%- endfor %}
{% endmacro %}
