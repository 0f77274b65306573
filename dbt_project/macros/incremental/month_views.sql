{#
    For the post-hook of a fact with a month column: one view per month in the schema `monthly`, named by a prefix and the
    month (yellow_taxi_2024_01), for people who work with monthly tables. Views of months that the fact no longer has are
    dropped. `publish` copies the views if the fact's YAML says `config: meta: {month_views: true}`.
#}
{% macro month_views(prefix, month_column) %}
    {% if execute %}
        {% set fact = this.include(database=false) %}
        {% do run_query('create schema if not exists monthly') %}
        {% set months = run_query(
            'select distinct cast(' ~ month_column ~ ' as ' ~ dbt.type_string() ~ ') from ' ~ fact ~ ' order by 1'
        ).columns[0].values() %}
        {% set views = [] %}
        {% for month in months %}
            {% set view = prefix ~ '_' ~ month[:7] | replace('-', '_') %}
            {% do views.append(view) %}
            {% do run_query(replace_view(
                'monthly.' ~ view, 'select * from ' ~ fact ~ ' where ' ~ in_list(month_column, [month], 'date')
            )) %}
        {% endfor %}
        {% for view in views_in('monthly') if view.startswith(prefix ~ '_') and view not in views %}
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

{% macro views_in(schema) %}
    {{ return(adapter.dispatch('views_in')(schema)) }}
{% endmacro %}

{% macro default__views_in(schema) %}
    {% set query = "select table_name from information_schema.tables where table_schema = '" ~ schema ~ "'" %}
    {{ return(run_query(query).columns[0].values()) }}
{% endmacro %}
