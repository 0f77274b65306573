{#
    The files of an audit mart (see load_audit) where a row is missing or too many, and the entities whose raw table does not
    hold as many rows as the mart says. No row: every row is accounted for. A failure means that rows got lost or were counted
    twice between an input file and the marts, so no number about them can be trusted until it is explained. The raw tables are
    those that the mart reads.
#}
{% test row_reconciliation(model) %}
    select
        entity,
        source_file,
        rows_read,
        rows_clean + rows_quarantined + rows_superseded + rejected_lines_counted as rows_found
    from {{ model }}
    where
        rows_read <> rows_clean + rows_quarantined + rows_superseded + rejected_lines_counted
        or rows_loaded <> raw_rows_counted
        or rows_rejected <> rejected_lines_counted
        or raw_rows_counted <> rows_clean + rows_quarantined + rows_superseded
    {%- for raw in (raw_tables_of(model) if execute else []) %}
    union all
    select
        '{{ raw.name }}' as entity,
        '(the whole raw table)' as source_file,
        sums.rows_loaded as rows_read,
        counted.row_count as rows_found
    from (select count(*) as row_count from {{ raw.relation_name }}) as counted
    cross join (
        select coalesce(sum(rows_loaded), 0) as rows_loaded from {{ model }} where entity = '{{ raw.name }}'
    ) as sums
    where sums.rows_loaded <> counted.row_count
    {%- endfor %}
{% endtest %}
