{#
    Whether the first validation, which reads all staging rows three times, stores them in between. PostgreSQL casts a row
    more slowly than it writes and reads it; DuckDB casts only the columns that each reading needs.
#}
{% macro materialize_staging() %}
    {{ return(adapter.dispatch('materialize_staging')()) }}
{% endmacro %}

{% macro default__materialize_staging() %}
    {{ return(false) }}
{% endmacro %}
