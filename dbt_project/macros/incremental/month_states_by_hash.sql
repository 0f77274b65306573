{# Query each month, and whether the rows of two relations differ in these columns. #}
{% macro month_states_by_hash(new_rows, table, month_column, columns) %}
    select
        coalesce(new_months.month, old_months.month) as month,
        new_months.row_count is distinct from old_months.row_count
        or new_months.row_hash is distinct from old_months.row_hash as differs
    from ({{ month_hashes(new_rows, month_column, columns) }}) as new_months
    full outer join ({{ month_hashes(table, month_column, columns) }}) as old_months
        on new_months.month = old_months.month
{% endmacro %}

{# The sum of the hashes does not depend on the order of the rows. #}
{% macro month_hashes(relation, month_column, columns) %}
    select {{ month_column }} as month, count(*) as row_count, sum({{ row_hash(columns) }}) as row_hash
    from {{ relation }}
    group by {{ month_column }}
{% endmacro %}
