{% macro postgres__row_hash(columns) -%}
    hash_record_extended(row(
        {%- for column in columns %}cast({{ column.quoted }} as {{ column.data_type }}){{ ', ' if not loop.last }}{% endfor -%}
    ), 0)
{%- endmacro %}

{# PostgreSQL replaces a view only by one with the same columns. dbt runs both statements in one transaction. #}
{% macro postgres__replace_view(view, query) %}
    drop view if exists {{ view }};
    create view {{ view }} as {{ query }}
{% endmacro %}

{% macro postgres__single_writer() %}
    {% if execute %}
        {% do run_query("select pg_advisory_xact_lock(hashtext('sluice'), hashtext('" ~ this.identifier ~ "'))") %}
        {# Drop the table that another run has created since dbt listed the tables; readers see it until this one commits. #}
        {% do adapter.drop_relation(this.incorporate(type='table')) %}
    {% endif %}
{% endmacro %}
