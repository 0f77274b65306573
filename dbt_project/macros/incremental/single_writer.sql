{#
    For the pre-hook of a table that several domains build: `{{ single_writer() }}`. On a server their runs can overlap; the
    second run waits for the first and replaces its table. DuckDB allows one writing process, and Spark has no lock that
    outlives a statement, so only PostgreSQL does anything here.
#}
{% macro single_writer() %}
    {{ return(adapter.dispatch('single_writer')()) }}
{% endmacro %}

{% macro default__single_writer() %}{% endmacro %}
