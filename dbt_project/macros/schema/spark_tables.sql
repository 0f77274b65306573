{# What a table on Spark is made from has the types of its contract, as on the other engines; dbt's own form leaves those of the select. #}
{% macro spark__get_select_subquery(sql) %}
    {{ return(typed_by_contract(sql)) }}
{% endmacro %}

{# The new rows of an incremental table have them as well; others would count as a changed schema. #}
{% macro spark__create_temporary_view(relation, compiled_code) %}
    {% if config.get('contract').enforced %}
        {% do get_assert_columns_equivalent(compiled_code) %}
        {% set compiled_code = typed_by_contract(compiled_code) %}
    {% endif %}
    {{ return(dbt.spark__create_temporary_view(relation, compiled_code)) }}
{% endmacro %}

{# The check of a contract asks Spark for its types as well. #}
{% macro spark__get_empty_schema_sql(columns) %}
    {% set named = {} %}
    {% for name, column in columns.items() %}
        {% do named.update({name: dict(column, data_type=contract_type(column.data_type))}) %}
    {% endfor %}
    {{ return(dbt.default__get_empty_schema_sql(named)) }}
{% endmacro %}
