{#
    The rows of a unit test, which dbt writes as a union of selects. Spark would take each for constants, and fails to run some
    of what it makes of them; of a condition that it cannot foresee it has to take them for rows.
#}
{% macro get_fixture_sql(rows, column_name_to_data_types) %}
    {{ return(adapter.dispatch('fixture_rows')(dbt.get_fixture_sql(rows, column_name_to_data_types))) }}
{% endmacro %}

{% macro default__fixture_rows(query) %}
    {{ return(query) }}
{% endmacro %}

{% macro spark__fixture_rows(query) %}
    select * from ({{ query }}) as fixture_rows where rand() < 2
{% endmacro %}
