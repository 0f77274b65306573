{# Query the rows whose key other rows have too. Few keys are repeated, so that later steps need not sort all rows. #}
{% macro repeated_rows(relation, key) %}
        select candidates.*
        from {{ relation }} as candidates
        where ({{ prefix_columns('candidates', key) }}) in (
            select {{ key | join(', ') }} from {{ relation }} group by {{ key | join(', ') }} having count(*) > 1
        )
{%- endmacro %}

{#
    Query the ids of the rows of `repeated` whose file has another row with the same key and other values: which of them is
    true, nobody knows. Rows that are equal in all staged columns are one row delivered twice, and corrected rows do not
    count. `columns`: those of the staging model.
#}
{% macro conflicting_rows(key, columns) %}
    {%- set file = key + ['_source_file', '_dlt_load_id'] -%}
    {%- set content = columns | reject('in', file + ['_row_id', '_source_row']) | list %}
        select repeated._row_id
        from repeated
        inner join (
            select {{ file | join(', ') }}
            from (
                select distinct {{ (file + content) | join(', ') }}
                from repeated
                where not {{ in_subquery('_row_id', 'select _corrects_row_id from corrections') }}
            ) as contents
            group by {{ file | join(', ') }}
            having count(*) > 1
        ) as several
            on {% for column in file %}repeated.{{ column }} = several.{{ column }}{{ ' and ' if not loop.last }}{% endfor %}
{%- endmacro %}
