{#
    Note in `dbt_state.nodes` that this command begins to build or test its nodes, so that none of them counts as up to date
    any more. A run whose tests have all passed writes their fingerprints (`transformation/changes.py`); it tells its id by
    the environment variable SLUICE_RUN_ID.
#}
{% macro begin_nodes() %}
    {%- if execute and selected_resources %}
        {%- do adapter.dispatch('begin_nodes')(selected_resources | sort, env_var('SLUICE_RUN_ID', invocation_id)) %}
    {%- endif %}
{% endmacro %}

{% macro default__begin_nodes(nodes, run_id, lock='') %}
    {%- call statement(auto_begin=true) %}
        {{ lock }}
        create schema if not exists dbt_state;
        create table if not exists dbt_state.nodes (unique_id text, run_id text, fingerprint text);
        delete from dbt_state.nodes where unique_id in ('{{ nodes | join("', '") }}');
        insert into dbt_state.nodes values
        {%- for node in nodes %} ('{{ node }}', '{{ run_id | replace("'", "''") }}', null){{ ',' if not loop.last }}{% endfor %};
    {%- endcall %}
    {#- dbt rolls back what a hook leaves open. #}
    {%- do adapter.commit() %}
{% endmacro %}
