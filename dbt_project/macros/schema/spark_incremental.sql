{#
    dbt's incremental materialisation on Spark knows its own strategies alone; these two macros of its are where it asks. It
    runs one statement, so that a strategy runs those before it by itself.
#}
{% macro dbt_spark_validate_get_incremental_strategy(raw_strategy, file_format) %}
    {{ return(raw_strategy) }}
{% endmacro %}

{% macro dbt_spark_get_incremental_sql(strategy, source, target, existing, unique_key, incremental_predicates) %}
    {{ return(context['get_incremental_' ~ strategy ~ '_sql']({
        'target_relation': target,
        'temp_relation': source,
        'unique_key': unique_key,
        'dest_columns': adapter.get_columns_in_relation(target),
    })) }}
{% endmacro %}

{# Take partitions, named by texts, out of a table. #}
{% macro drop_partitions(table, column, partitions) %}
    {% if partitions %}
        {% set named %}
            {%- for partition in partitions %}partition ({{ column }} = '{{ partition }}'){{ ', ' if not loop.last }}{% endfor -%}
        {% endset %}
        {% do run_query('alter table ' ~ table ~ ' drop if exists ' ~ named) %}
    {% endif %}
{% endmacro %}
