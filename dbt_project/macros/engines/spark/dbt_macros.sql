{# dbt's own macros that are replaced on Spark, each with the reason. #}

{# dbt's own takes the delimiter for a regular expression, and returns null where there is no such part. #}
{% macro spark__split_part(string_text, delimiter_text, part_number) -%}
    split_part({{ string_text }}, {{ delimiter_text }}, {{ part_number }})
{%- endmacro %}

{# dbt's own drops fractions of seconds and fails for invalid values. #}
{% macro spark__dateadd(datepart, interval, from_date_or_timestamp) -%}
    timestampadd({{ datepart }}, {{ interval }}, {{ from_date_or_timestamp }})
{%- endmacro %}

{# dbt's own returns doubles for some parts. Only the parts that models use are written here. #}
{% macro spark__datediff(first_date, second_date, datepart) -%}
    {%- if datepart == 'day' -%}
        cast(datediff({{ second_date }}, {{ first_date }}) as bigint)
    {%- elif datepart == 'second' -%}
        unix_seconds(cast({{ second_date }} as timestamp)) - unix_seconds(cast({{ first_date }} as timestamp))
    {%- else -%}
        {{ exceptions.raise_compiler_error("datediff by '" ~ datepart ~ "' is not implemented for Spark (macros/engines/spark/dbt_macros.sql)") }}
    {%- endif -%}
{%- endmacro %}

{# Tables are written to the folder where Sluice, which reads their files without the cluster, looks for them. #}
{% macro spark__create_schema(relation) %}
    {% call statement('create_schema') %}
        create schema if not exists {{ relation.include(identifier=false) }} location '{{ env_var("SLUICE_SPARK_LAKE") }}/{{ relation.schema }}'
    {% endcall %}
{% endmacro %}

{#
    The rows of a unit test, which dbt writes as a union of selects of constants. Spark's optimizer folds them into plans that
    fail; it cannot fold a condition with rand(). dbt does not dispatch this macro.
#}
{% macro get_fixture_sql(rows, column_name_to_data_types) %}
    {% set query = dbt.get_fixture_sql(rows, column_name_to_data_types) %}
    {{ return('select * from (' ~ query ~ ') as fixture_rows where rand() < 2' if target.type == 'spark' else query) }}
{% endmacro %}

{#
    dbt-spark's incremental materialization accepts only its own strategies; these are the two macros that it calls for them.
    It runs one statement, so a strategy runs earlier ones itself.
#}
{% macro dbt_spark_validate_get_incremental_strategy(raw_strategy, file_format) %}
    {{ return(raw_strategy) }}
{% endmacro %}

{% macro dbt_spark_get_incremental_sql(strategy, source, target, existing, unique_key, incremental_predicates) %}
    {{ return(context['get_incremental_' ~ strategy | replace('+', '_') ~ '_sql']({
        'target_relation': target,
        'temp_relation': source,
        'unique_key': unique_key,
        'dest_columns': adapter.get_columns_in_relation(target),
    })) }}
{% endmacro %}

{# The strategies by_load and by_month replace partitions. #}
{% macro spark__partition_cols(label, required=false) %}
    {% set column = {'by_load': '_dlt_load_id', 'by_month': config.get('unique_key')}.get(config.get('incremental_strategy')) %}
    {{ return(label ~ ' (' ~ column ~ ')' if column else dbt.spark__partition_cols(label, required)) }}
{% endmacro %}

{# A table gets the types of its contract, as on the other engines; dbt's own keeps those of the select. #}
{% macro spark__get_select_subquery(sql) %}
    {{ return(cast_to_contract(sql)) }}
{% endmacro %}

{# So do the new rows of an incremental table; other types would count as a changed schema. #}
{% macro spark__create_temporary_view(relation, compiled_code) %}
    {% if config.get('contract').enforced %}
        {% do get_assert_columns_equivalent(compiled_code) %}
        {% set compiled_code = cast_to_contract(compiled_code) %}
    {% endif %}
    {{ return(dbt.spark__create_temporary_view(relation, compiled_code)) }}
{% endmacro %}

{# So does the query by which dbt checks a contract. #}
{% macro spark__get_empty_schema_sql(columns) %}
    {% set typed_columns = {} %}
    {% for name, column in columns.items() %}
        {% do typed_columns.update({name: dict(column, data_type=contract_type(column.data_type))}) %}
    {% endfor %}
    {{ return(dbt.default__get_empty_schema_sql(typed_columns)) }}
{% endmacro %}
