{#
    dbt's incremental materialization writes the whole select into a temporary table before it calls the strategy, and no
    setting changes that. For `by_month` a view takes its place: the select is read once for the comparison and once for the
    months that differ, so that a run without changes writes nothing. All other models pass through.
#}
{% macro duckdb__create_table_as(temporary, relation, compiled_code, language='sql', partitioned_by=none, sorted_by=none) %}
    {% if temporary and config.get('incremental_strategy') == 'by_month' %}
        {% if config.get('contract').enforced %}{{ get_assert_columns_equivalent(compiled_code) }}{% endif %}
        create or replace temporary view {{ relation.include(database=false, schema=false) }} as (
            {{ compiled_code }}
        )
    {% else %}
        {{ return(dbt.duckdb__create_table_as(
            temporary, relation, compiled_code, language, partitioned_by, sorted_by
        )) }}
    {% endif %}
{% endmacro %}
