{#
    Return what an incremental run looks up before it validates; a unit test overrides it:
      new              loads of the raw table that were not validated, or by other rules
      deleted          loads that were validated and are no longer in the raw table
      has_corrections  whether any raw row corrects another one. Few domains have corrections, and searching all validated
                       rows for corrected ones takes as long without any.
#}
{% macro load_changes(raw, rules_hash) %}
    {% set validated = 'select distinct _dlt_load_id from ' ~ this %}
    {% set delivered = 'select distinct _dlt_load_id from ' ~ raw %}
    {% set up_to_date = validated ~ " where _rules_hash = '" ~ rules_hash ~ "'" %}
    {{ return({
        'new': run_query(delivered ~ ' where _dlt_load_id not in (' ~ up_to_date ~ ') order by 1').columns[0].values() | list,
        'deleted': run_query(validated ~ ' where _dlt_load_id not in (' ~ delivered ~ ') order by 1').columns[0].values() | list,
        'has_corrections':
            run_query('select 1 from ' ~ raw ~ ' where _corrects_row_id is not null limit 1') | length > 0,
    }) }}
{% endmacro %}
