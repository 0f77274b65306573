{#
    dbt gives a view on PostgreSQL a new one in its place and drops the old one with all views that stand on it; a run of that
    model alone would leave those missing. Here the view stays and gets its new query, unless its columns change.
#}
{% materialization view, adapter='postgres' %}
    {% set existing = load_cached_relation(this) %}
    {% set target_relation = this.incorporate(type='view') %}
    {% if existing is none or not existing.is_view or not postgres_has_columns_of(existing, sql) %}
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

{# Whether a view has the columns of a query: the same names and types in the same order. #}
{% macro postgres_has_columns_of(view, query) %}
    {% set other = make_temp_relation(view) %}
    {% set columns = "select array_agg(row(attname, atttypid, atttypmod, attcollation)::text order by attnum) from pg_attribute where attrelid = " %}
    {% do run_query('create temporary view ' ~ other ~ ' as (' ~ query ~ ')') %}
    {% set same = run_query(
        'select (' ~ columns ~ "'" ~ view.include(database=false) ~ "'::regclass) = (" ~ columns ~ "'" ~ other ~ "'::regclass)"
    ).columns[0].values()[0] %}
    {% do run_query('drop view ' ~ other) %}
    {{ return(same) }}
{% endmacro %}
