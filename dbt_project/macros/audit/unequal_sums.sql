{#
    The parts of two relations whose sums differ, for a test that one of them tells the same as the other; no row: all agree.
    Each side: {'relation', 'by': the column or expression that says the part, 'sums': {name: aggregate}}, with the same
    names on both.
#}
{% macro unequal_sums(one, other) %}
    with one as ({{ sums_by_part(one) }}),

    other as ({{ sums_by_part(other) }})

    select coalesce(one.part, other.part) as part
    from one
    full outer join other on one.part = other.part
    where
        {%- for name in one.sums %}
        {{ 'or ' if not loop.first }}one.{{ name }} is distinct from other.{{ name }}
        {%- endfor %}
{% endmacro %}

{% macro sums_by_part(side) %}
    select
        {{ side.by }} as part
        {%- for name, aggregate in side.sums.items() %},
        {{ aggregate }} as {{ name }}
        {%- endfor %}
    from {{ side.relation }}
    group by {{ side.by }}
{% endmacro %}
