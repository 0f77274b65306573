{#
    The files of an accounting mart (see load_audit) where a row is missing or too many, and the entities of which
    the raw table does not hold as many rows as the mart says. No row: everything is accounted for.
    `raw_tables`: {entity: relation}.
#}
{% macro row_reconciliation(mart, raw_tables) %}
    select
        entity,
        source_file,
        rows_read,
        rows_clean + rows_quarantined + rows_superseded + rejected_lines_counted as rows_found
    from {{ mart }}
    where
        rows_read <> rows_clean + rows_quarantined + rows_superseded + rejected_lines_counted
        or rows_loaded <> raw_rows_counted
        or rows_rejected <> rejected_lines_counted
        or raw_rows_counted <> rows_clean + rows_quarantined + rows_superseded
    {%- for entity, raw in raw_tables.items() %}
    union all
    select
        '{{ entity }}' as entity,
        '(the whole raw table)' as source_file,
        sums.rows_loaded as rows_read,
        counted.row_count as rows_found
    from (select count(*) as row_count from {{ raw }}) as counted
    cross join (
        select coalesce(sum(rows_loaded), 0) as rows_loaded from {{ mart }} where entity = '{{ entity }}'
    ) as sums
    where sums.rows_loaded <> counted.row_count
    {%- endfor %}
{% endmacro %}
