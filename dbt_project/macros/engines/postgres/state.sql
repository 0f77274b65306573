{# Domains are built side by side: one at a time creates the table, and takes away what another one has written of shared nodes. #}
{% macro postgres__begin_nodes(nodes, run_id) %}
    {{ return(default__begin_nodes(nodes, run_id, "select pg_advisory_xact_lock(hashtext('sluice'), hashtext('dbt_state'));")) }}
{% endmacro %}
