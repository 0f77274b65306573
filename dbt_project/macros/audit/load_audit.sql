{#
    The mart audit_<domain>__row_counts: one row per input file that ingestion reported as loaded, with what it read from the
    file and where the rows are now. Every number is counted where the rows are; none is a difference of others. Rows of a
    file that was never reported as loaded get a row too, with zero rows read, so that they fail the accounting test.
#}
{% macro load_audit(entities) %}
    {%- set domain = domain_of(model.name) -%}
    {%- set counts = [
        'rows_read', 'rows_rejected', 'rows_loaded', 'rejected_lines_counted', 'raw_rows_counted',
        'rows_quarantined', 'rows_superseded', 'rows_clean',
    ] -%}
    with loaded_files as (
        {# The session is in UTC (profiles.yml). #}
        select
            entity, source_file, _dlt_load_id, rows_read, rows_rejected, rows_loaded,
            cast(loaded_at as {{ dbt.type_timestamp() }}) as loaded_at
        from {{ source('raw_' ~ domain, 'file_loads') }}
        where status = 'loaded'
    ),

    counted as (
        select
            entity, source_file, rows_read, rows_rejected, rows_loaded, loaded_at,
            0 as rejected_lines_counted, 0 as raw_rows_counted,
            0 as rows_quarantined, 0 as rows_superseded, 0 as rows_clean
        from loaded_files
        union all
        {# Only lines of loads that are in force: those of failed or replaced loads are kept for people to read. #}
        select
            rejected.entity, rejected.source_file, 0, 0, 0, cast(null as {{ dbt.type_timestamp() }}),
            sum(rejected.line_count), 0, 0, 0, 0
        from {{ source('raw_' ~ domain, 'rejected_lines') }} as rejected
        inner join loaded_files
            on rejected.entity = loaded_files.entity
            and rejected.source_file = loaded_files.source_file
            and rejected._dlt_load_id = loaded_files._dlt_load_id
        group by rejected.entity, rejected.source_file
        {%- for entity in entities %}
        {%- set name = domain ~ '__' ~ entity %}
        {%- for place in [
            {'counts': '1, 0, 0, 0', 'rows': source('raw_' ~ domain, entity)},
            {'counts': '0, 1, 0, 0', 'rows': ref('validated_' ~ name) ~ " where row_status = 'quarantined'"},
            {'counts': '0, 0, 1, 0', 'rows': ref('validated_' ~ name) ~ " where row_status = 'superseded'"},
            {'counts': '0, 0, 0, 1', 'rows': ref('clean_' ~ name)},
        ] %}
        union all
        select
            '{{ entity }}', _source_file, 0, 0, 0, cast(null as {{ dbt.type_timestamp() }}),
            0{% for flag in place.counts.split(', ') %}, {{ flag }} * count(*){% endfor %}
        from {{ place.rows }}
        group by _source_file
        {%- endfor %}
        {%- endfor %}
    )

    select
        entity,
        coalesce(source_file, '(no file)') as source_file,
        {%- for name in counts %}
        cast(sum({{ name }}) as bigint) as {{ name }},
        {%- endfor %}
        max(loaded_at) as loaded_at
    from counted
    group by entity, coalesce(source_file, '(no file)')
{% endmacro %}
