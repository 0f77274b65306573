{# Query each month, and whether an aggregate was computed from other facts than there are now. #}
{% macro month_states_by_source(facts, table, month_column, fact_rows) %}
    select
        coalesce(facts.month, aggregated.month) as month,
        facts.row_count is distinct from aggregated.row_count or facts.built_at is distinct from aggregated.built_at as differs
    from (
        select {{ month_column }} as month, count(*) as row_count, max(_built_at) as built_at
        from {{ facts }}
        group by {{ month_column }}
    ) as facts
    full outer join (
        select {{ month_column }} as month, sum({{ fact_rows }}) as row_count, max(_source_built_at) as built_at
        from {{ table }}
        group by {{ month_column }}
    ) as aggregated on facts.month = aggregated.month
{% endmacro %}
