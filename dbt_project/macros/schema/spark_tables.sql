{#
    A table on Spark has the types of its contract, as on the other engines; dbt's own form leaves those of the select.
#}
{% macro spark__create_table_as(temporary, relation, compiled_code, language='sql') %}
    {% if config.get('contract').enforced %}
        {% do get_assert_columns_equivalent(compiled_code) %}
        {% set compiled_code %}
            select
                {%- for name, column in model.columns.items() %}
                cast({{ name }} as {{ column.data_type }}) as {{ name }}{{ ',' if not loop.last }}
                {%- endfor %}
            from ({{ compiled_code }}) as new_rows
        {% endset %}
    {% endif %}
    {{ return(dbt.spark__create_table_as(temporary, relation, compiled_code, language)) }}
{% endmacro %}
