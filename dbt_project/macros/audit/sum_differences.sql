{#
    Query the groups whose sums differ between two relations, for a data test. Each side: {'relation', 'by': the column or
    expression to group by, 'sums': {name: aggregate}}, with the same names on both sides.
#}
{% macro sum_differences(one, other) %}
    with one as ({{ sums_by_group(one) }}),

    other as ({{ sums_by_group(other) }})

    select coalesce(one.group_key, other.group_key) as group_key
    from one
    full outer join other on one.group_key = other.group_key
    where
        {%- for name in one.sums %}
        {{ 'or ' if not loop.first }}one.{{ name }} is distinct from other.{{ name }}
        {%- endfor %}
{% endmacro %}

{% macro sums_by_group(side) %}
    select
        {{ side.by }} as group_key
        {%- for name, aggregate in side.sums.items() %},
        {{ aggregate }} as {{ name }}
        {%- endfor %}
    from {{ side.relation }}
    group by {{ side.by }}
{% endmacro %}
