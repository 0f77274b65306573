{#
    "if not exists" does not keep two runs that begin at once from making the same schema on PostgreSQL; the second waits.
    dbt commits at the end, and that frees the lock.
#}
{% macro postgres__create_schema(relation) %}
    {% do run_query("select pg_advisory_xact_lock(hashtext('sluice'), hashtext('schemas'))") %}
    {{ return(dbt.postgres__create_schema(relation)) }}
{% endmacro %}
