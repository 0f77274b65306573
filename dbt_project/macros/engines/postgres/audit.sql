{% macro postgres__split_rules(column) -%}
    unnest(string_to_array({{ column }}, ','))
{%- endmacro %}

{% macro postgres__row_as_json(alias) -%}
    {#- Formatted as on DuckDB: json_object_agg() adds spaces around colons, and jsonb reorders keys. -#}
    (
        select '{' || string_agg(to_json(field.key) || ':' || field.value, ',' order by field.ordinality) || '}'
        from json_each(row_to_json({{ alias }})) with ordinality as field
    )
{%- endmacro %}

{% macro postgres__json_list(value, ordering) -%}
    '[' || string_agg({{ value }}, ',' order by {{ ordering }}) || ']'
{%- endmacro %}
