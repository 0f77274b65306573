{#
    For a post-hook of a fact with a month column: a view a month, named by a prefix and the month (yellow_taxi_2024_01), in
    the schema `monthly`, for people who know a table a month. Views of months that are gone go. `publish` takes the views
    along if the fact's YAML says `config: meta: {month_views: true}`.
#}
{% macro month_views(prefix, month_column) %}
    {% if execute %}
        {% set fact = this.include(database=false) %}
        {% do run_query('create schema if not exists monthly') %}
        {% set months = run_query(
            'select distinct cast(' ~ month_column ~ ' as ' ~ dbt.type_string() ~ ') from ' ~ fact ~ ' order by 1'
        ).columns[0].values() %}
        {% set wanted = [] %}
        {% for month in months %}
            {% set view = prefix ~ '_' ~ month[:7] | replace('-', '_') %}
            {% do wanted.append(view) %}
            {% do run_query(replace_view(
                'monthly.' ~ view,
                'select * from ' ~ fact ~ ' where ' ~ month_column ~ " = cast('" ~ month ~ "' as date)"
            )) %}
        {% endfor %}
        {% set there = views_in('monthly') %}
        {% for view in there if view.startswith(prefix ~ '_') and view not in wanted %}
            {% do run_query('drop view monthly.' ~ view) %}
        {% endfor %}
    {% endif %}
{% endmacro %}

{% macro replace_view(view, query) %}
    {{ return(adapter.dispatch('replace_view')(view, query)) }}
{% endmacro %}

{% macro default__replace_view(view, query) %}
    create or replace view {{ view }} as {{ query }}
{% endmacro %}

{% macro postgres__replace_view(view, query) %}
    {# PostgreSQL replaces a view by one with the same columns only; readers see either, for both statements are one transaction. #}
    drop view if exists {{ view }};
    create view {{ view }} as {{ query }}
{% endmacro %}

{# Names of the views in a schema. #}
{% macro views_in(schema) %}
    {{ return(adapter.dispatch('views_in')(schema)) }}
{% endmacro %}

{% macro default__views_in(schema) %}
    {% set query = "select table_name from information_schema.tables where table_schema = '" ~ schema ~ "'" %}
    {{ return(run_query(query).columns[0].values()) }}
{% endmacro %}

{% macro spark__views_in(schema) %}
    {{ return(run_query('show views in ' ~ schema).columns['viewName'].values()) }}
{% endmacro %}
