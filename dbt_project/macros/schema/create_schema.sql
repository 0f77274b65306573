{#
    "if not exists" does not keep two runs that begin at once from making the same schema on PostgreSQL; the second waits.
    dbt commits at the end, and that frees the lock.
#}
{% macro postgres__create_schema(relation) %}
    {% do run_query("select pg_advisory_xact_lock(hashtext('sluice'), hashtext('schemas'))") %}
    {{ return(dbt.postgres__create_schema(relation)) }}
{% endmacro %}

{# The files of its tables lie where the platform, which reads them without the cluster, looks for them. #}
{% macro spark__create_schema(relation) %}
    {% call statement('create_schema') %}
        create schema if not exists {{ relation.include(identifier=false) }} location '{{ env_var("SLUICE_SPARK_LAKE") }}/{{ relation.schema }}'
    {% endcall %}
{% endmacro %}
