{% macro spark__split_rules(column) -%}
    explode(split({{ column }}, ','))
{%- endmacro %}

{% macro spark__row_as_json(alias) -%}
    to_json(struct({{ alias }}.*), map('ignoreNullFields', 'false'))
{%- endmacro %}

{% macro spark__json_list(value, ordering) -%}
    '[' || string_agg({{ value }}, ',') within group (order by {{ ordering }}) || ']'
{%- endmacro %}
