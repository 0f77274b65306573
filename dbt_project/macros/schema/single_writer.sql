{#
    For the pre-hook of a table that belongs to several domains, whose runs may meet on a server: `{{ single_writer() }}`. The
    second one waits for the first, and takes the place of what that has made since dbt looked. Readers wait for either.
#}
{% macro single_writer() %}
    {{ return(adapter.dispatch('single_writer')()) }}
{% endmacro %}

{# DuckDB takes one writing process. #}
{% macro duckdb__single_writer() %}{% endmacro %}

{% macro postgres__single_writer() %}
    {% if execute %}
        {% do run_query("select pg_advisory_xact_lock(hashtext('sluice'), hashtext('" ~ this.identifier ~ "'))") %}
        {# In the transaction of the model, so that nobody misses it. #}
        {% do adapter.drop_relation(this.incorporate(type='table')) %}
    {% endif %}
{% endmacro %}

{# Spark has no lock that lasts until a statement's end. #}
{% macro spark__single_writer() %}{% endmacro %}
