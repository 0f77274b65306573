{# dbt's own macros that are replaced on PostgreSQL, each with the reason. #}

{# dbt's datediff by day and second is slow and fails for infinity. #}
{% macro postgres__datediff(first_date, second_date, datepart) -%}
    {%- if datepart == 'day' -%}
        case when isfinite({{ first_date }}) and isfinite({{ second_date }}) then
            cast(cast({{ second_date }} as date) - cast({{ first_date }} as date) as bigint)
        end
    {%- elif datepart == 'second' -%}
        case when isfinite({{ first_date }}) and isfinite({{ second_date }}) then
            cast(floor(extract(epoch from {{ second_date }})) - floor(extract(epoch from {{ first_date }})) as bigint)
        end
    {%- else -%}
        {{ return(dbt.postgres__datediff(first_date, second_date, datepart)) }}
    {%- endif -%}
{%- endmacro %}

{#
    The new rows of an incremental model. They get the contract's types, as the table has: varchar instead of text would count
    as a changed schema. For `by_month` they are a view (see duckdb__create_table_as).
#}
{% macro postgres__create_table_as(temporary, relation, sql) %}
    {% if not temporary or not config.get('contract').enforced %}
        {{ return(dbt.postgres__create_table_as(temporary, relation, sql)) }}
    {% elif config.get('incremental_strategy') != 'by_month' %}
        {{ return(dbt.postgres__create_table_as(temporary, relation, cast_to_contract(sql))) }}
    {% endif %}
    {{ get_assert_columns_equivalent(sql) }}
    create temporary view {{ relation }} as ({{ cast_to_contract(sql) }})
{% endmacro %}

{# The strategies by_load and by_month find a few rows of many by their unique_key. #}
{% macro postgres__create_indexes(relation) %}
    {{ dbt.default__create_indexes(relation) }}
    {% if config.get('incremental_strategy') in ('by_load', 'by_month') %}
        {% do run_query(get_create_index_sql(relation, {'columns': [config.require('unique_key')]})) %}
    {% endif %}
{% endmacro %}

{#
    `create schema if not exists` fails when two runs create the same schema at once, so the second run waits for the first. The lock
    ends with dbt's transaction.
#}
{% macro postgres__create_schema(relation) %}
    {% do run_query("select pg_advisory_xact_lock(hashtext('sluice'), hashtext('schemas'))") %}
    {{ return(dbt.postgres__create_schema(relation)) }}
{% endmacro %}

{#
    dbt replaces a view by dropping the old one with all views that depend on it, which are missing after a run of that model
    alone. Here the view is replaced in place, unless its columns change.
#}
{% materialization view, adapter='postgres' %}
    {% set existing = load_cached_relation(this) %}
    {% set target_relation = this.incorporate(type='view') %}
    {% if existing is none or not existing.is_view or not postgres_has_same_columns(existing, sql) %}
        {{ return(dbt.materialization_view_default()) }}
    {% endif %}
    {{ run_hooks(pre_hooks, inside_transaction=False) }}
    {{ run_hooks(pre_hooks, inside_transaction=True) }}
    {% call statement('main') %}
        {{ get_replace_view_sql(target_relation, sql) }}
    {% endcall %}
    {% do apply_grants(target_relation, config.get('grants'), should_revoke(existing, full_refresh_mode=True)) %}
    {% do persist_docs(target_relation, model) %}
    {{ run_hooks(post_hooks, inside_transaction=True) }}
    {{ adapter.commit() }}
    {{ run_hooks(post_hooks, inside_transaction=False) }}
    {{ return({'relations': [target_relation]}) }}
{% endmaterialization %}

{# Whether a view and a query have the same column names and types in the same order. #}
{% macro postgres_has_same_columns(view, query) %}
    {% set other = make_temp_relation(view) %}
    {% set columns = "select array_agg(row(attname, atttypid, atttypmod, attcollation)::text order by attnum) from pg_attribute where attrelid = " %}
    {% do run_query('create temporary view ' ~ other ~ ' as (' ~ query ~ ')') %}
    {% set same = run_query(
        'select (' ~ columns ~ "'" ~ view.include(database=false) ~ "'::regclass) = (" ~ columns ~ "'" ~ other ~ "'::regclass)"
    ).columns[0].values()[0] %}
    {% do run_query('drop view ' ~ other) %}
    {{ return(same) }}
{% endmacro %}
