{#
    A table on Spark has the types of its contract, as on the other engines; dbt's own form leaves those of the select.
#}
{% macro spark__create_table_as(temporary, relation, compiled_code, language='sql') %}
    {% if config.get('contract').enforced %}
        {% do get_assert_columns_equivalent(compiled_code) %}
        {% set compiled_code %}
            select
                {%- for name, column in model.columns.items() %}
                cast({{ name }} as {{ spark_type(column.data_type) }}) as {{ name }}{{ ',' if not loop.last }}
                {%- endfor %}
            from ({{ compiled_code }}) as new_rows
        {% endset %}
    {% endif %}
    {{ return(dbt.spark__create_table_as(temporary, relation, compiled_code, language)) }}
{% endmacro %}

{# The check of a contract asks Spark for its types as well. #}
{% macro spark__get_empty_schema_sql(columns) %}
    {% set named = {} %}
    {% for name, column in columns.items() %}
        {% do named.update({name: dict(column, data_type=spark_type(column.data_type))}) %}
    {% endfor %}
    {{ return(dbt.default__get_empty_schema_sql(named)) }}
{% endmacro %}

{# Spark's name for a type of a contract. #}
{% macro spark_type(data_type) %}
    {{ return('double' if data_type == 'double precision' else data_type) }}
{% endmacro %}
