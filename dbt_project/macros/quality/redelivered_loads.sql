{#
    Query the loads whose file was delivered again later. Loads of corrections are not among them: corrections delivered
    under the name of earlier ones are other corrections, and the earlier ones stay in force. Nor are those of an API, which
    gives only what has changed.
#}
{% macro redelivered_loads(raw) %}
    with files as (
        select _source_file, _dlt_load_id, count(_corrects_row_id) as corrections
        from {{ raw }}
        group by _source_file, _dlt_load_id
    )

    select distinct earlier._dlt_load_id
    from files as earlier
    inner join files as later
        on earlier._source_file = later._source_file and earlier._dlt_load_id < later._dlt_load_id
    where earlier.corrections = 0 and earlier._source_file not like '%.api'
{% endmacro %}
