{#
    Return what an incremental run looks up before it validates; a unit test overrides it:
      new              loads of the raw table that were not validated, or by other rules
      deleted          loads that were validated and are no longer in the raw table
      has_corrections  whether any raw row corrects another one. Few domains have corrections, and searching all validated
                       rows for corrected ones takes as long without any.
#}
{% macro load_changes(raw, rules_hash) %}
    {% set loads %}
        select coalesce(delivered._dlt_load_id, validated._dlt_load_id), delivered._dlt_load_id is not null, validated.is_current
        from (select distinct _dlt_load_id from {{ raw }}) as delivered
        full outer join (
            select _dlt_load_id, max(case when _rules_hash = '{{ rules_hash }}' then 1 else 0 end) = 1 as is_current
            from {{ this }}
            group by _dlt_load_id
        ) as validated on delivered._dlt_load_id = validated._dlt_load_id
        order by 1
    {% endset %}
    {% set changes = {'new': [], 'deleted': []} %}
    {% for load_id, is_delivered, is_current in run_query(loads).rows if not (is_delivered and is_current) %}
        {% do changes['new' if is_delivered else 'deleted'].append(load_id) %}
    {% endfor %}
    {{ return(dict(
        changes,
        has_corrections=run_query('select 1 from ' ~ raw ~ ' where _corrects_row_id is not null limit 1') | length > 0
    )) }}
{% endmacro %}
