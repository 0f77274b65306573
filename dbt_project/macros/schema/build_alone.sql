{#
    For the pre-hook of a table that belongs to several domains, whose runs may meet on a server: `{{ build_alone() }}`. The
    second one waits for the first, and takes the place of what that has made since dbt looked. Readers wait for either.
#}
{% macro build_alone() %}
    {{ return(adapter.dispatch('build_alone')()) }}
{% endmacro %}

{# DuckDB takes one writing process. #}
{% macro duckdb__build_alone() %}{% endmacro %}

{% macro postgres__build_alone() %}
    {% if execute %}
        {% do run_query("select pg_advisory_xact_lock(hashtext('sluice'), hashtext('" ~ this.identifier ~ "'))") %}
        {# In the transaction of the model, so that nobody misses it. #}
        {% do adapter.drop_relation(this.incorporate(type='table')) %}
    {% endif %}
{% endmacro %}

{# Spark has no lock that lasts until a statement's end. #}
{% macro spark__build_alone() %}{% endmacro %}
