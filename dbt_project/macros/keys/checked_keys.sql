{#
    What the data test primary_key has checked, so that its work is that of the rows written since:
      written_at  the column that says when a row was written: _built_at or _validated_at; none if the table has neither
      until       the newest time in it when the test last passed; none if all rows are to be checked
    All rows are checked at the first test of a table, after --full-refresh, which writes all rows again, and once in
    SLUICE_KEY_TEST_DAYS days (7; 0 for each time). A test that fails leaves its rows to be checked again.
    Only DuckDB, which has one writing process, is known to write no older row after a test has passed.
#}
{% macro checked_keys(relation, key) %}
    {{ return(adapter.dispatch('checked_keys')(relation, key)) }}
{% endmacro %}

{% macro default__checked_keys(relation, key) %}
    {{ return({}) }}
{% endmacro %}

{% macro duckdb__checked_keys(relation, key) %}
    {% set known = run_query(
        "select table_name, column_name from duckdb_columns() where database_name = current_database()"
        " and (schema_name = 'dbt_state' and table_name = 'key_tests' or schema_name = '" ~ relation.schema ~ "' and table_name = '" ~ relation.identifier ~ "')"
    ).rows | map(attribute=1) | list if relation.schema else [] %}
    {% set checked = {'written_at': (['_built_at', '_validated_at'] | select('in', known) | list + [none])[0]} %}
    {% if checked.written_at and 'written_until' in known and not flags.FULL_REFRESH %}
        {% set days = env_var('SLUICE_KEY_TEST_DAYS', '7') | int %}
        {% for row in run_query(
            "select cast(written_until as text) from dbt_state.key_tests where table_key = '" ~ relation ~ ' ' ~ key ~ "'"
            ~ ' and all_checked_at > ' ~ run_timestamp() ~ " - interval '" ~ days ~ " days'"
        ).rows %}{% do checked.update({'until': row[0]}) %}{% endfor %}
    {% endif %}
    {{ return(checked) }}
{% endmacro %}

{# For on-run-end: note what the passed primary_key tests of this run have checked. #}
{% macro note_checked_keys(results) %}
    {% if execute %}{% do adapter.dispatch('note_checked_keys')(results) %}{% endif %}
{% endmacro %}

{% macro default__note_checked_keys(results) %}{% endmacro %}

{% macro duckdb__note_checked_keys(results) %}
    {% set passed = [] %}
    {% for result in results if result.status == 'pass' and (result.node.test_metadata or {}).name == 'primary_key' %}
        {% set table = graph.nodes[result.node.attached_node] %}
        {% set relation = api.Relation.create(table.database, table.schema, table.alias, type='table') %}
        {% set key = result.node.test_metadata.kwargs.columns | join(', ') %}
        {% set checked = checked_keys(relation, key) %}
        {% if checked.written_at %}
            {% do passed.append(
                "select '" ~ relation ~ ' ' ~ key ~ "', max(" ~ checked.written_at ~ '), '
                ~ ("(select all_checked_at from dbt_state.key_tests where table_key = '" ~ relation ~ ' ' ~ key ~ "')" if checked.until else run_timestamp())
                ~ ' from ' ~ relation
            ) %}
        {% endif %}
    {% endfor %}
    {% if passed %}
        {% call statement(auto_begin=true) %}
            create schema if not exists dbt_state;
            create table if not exists dbt_state.key_tests (table_key text primary key, written_until timestamp, all_checked_at timestamp);
            insert or replace into dbt_state.key_tests {{ passed | join(' union all ') }}
        {% endcall %}
        {# dbt rolls back what a hook leaves open. #}
        {% do adapter.commit() %}
    {% endif %}
{% endmacro %}
