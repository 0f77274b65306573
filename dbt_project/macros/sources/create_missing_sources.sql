{#
    Create the source tables of a run's models that no load has created yet, without rows, so that `dbt build` works before
    the first load. Their columns are those of the source's description; a load adds the others.
#}
{% macro create_missing_sources() %}
    {%- if execute %}
        {%- do adapter.dispatch('create_missing_sources')() %}
    {%- endif %}
{% endmacro %}

{% macro default__create_missing_sources() %}
    {%- set wanted = [] %}
    {%- for node in graph.nodes.values() if node.unique_id in selected_resources %}
        {%- do wanted.extend(node.depends_on.nodes) %}
    {%- endfor %}
    {%- set missing = [] %}
    {%- for source in graph.sources.values() if source.unique_id in wanted %}
        {%- if not adapter.get_relation(target.database, source.schema, source.identifier) %}
            {%- do missing.append(create_source(source)) %}
        {%- endif %}
    {%- endfor %}
    {%- if missing %}
        {%- call statement(auto_begin=true) %}{{ missing | join }}{% endcall %}
        {#- dbt rolls back what a hook leaves open. #}
        {%- do adapter.commit() %}
    {%- endif %}
{% endmacro %}

{# On Spark a load declares the raw tables, in folders of its own: before it, there is nothing to build from. #}
{% macro spark__create_missing_sources() %}{% endmacro %}

{% macro create_source(source) %}
    create schema if not exists {{ adapter.quote(source.schema) }};
    create table if not exists {{ source.relation_name }} (
        {%- for name, column in source.columns.items() %}
        {{ adapter.quote(name) }} {{ column.data_type or 'text' }}{{ ',' if not loop.last }}
        {%- endfor %}
    );
{% endmacro %}
