{#
    Query the ids of the rows that a correction replaces. A row of an API has the same id in each version; one that was loaded
    after its correction is a newer version, and not corrected.
#}
{% macro corrected_rows(raw) %}
    select distinct correction._corrects_row_id
    from {{ raw }} as correction
    left join {{ raw }} as newer
        on
            correction._corrects_row_id = newer._row_id
            and newer._source_file like '%.api'
            and correction._dlt_load_id < newer._dlt_load_id
    where correction._corrects_row_id is not null and newer._row_id is null
{% endmacro %}
