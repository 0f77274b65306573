{#
    Query the ids of valid rows that are followed by a later valid row with the same key. Few keys are repeated, so rows
    with a unique key are left out before the ranking.
#}
{% macro outdated_rows(relation, quality_rules, references) %}
    {%- set key = quality_rules.key | join(', ') -%}
    {%- set repeated -%}
        (
            select candidates.*
            from {{ relation }} as candidates
            where ({{ prefix_columns('candidates', quality_rules.key) }}) in (
                select {{ key }} from {{ relation }} group by {{ key }} having count(*) > 1
            )
        )
    {%- endset -%}
    select _row_id
    from (
        select
            _row_id,
            row_number() over (
                partition by {{ key }}
                order by {% for column in quality_rules.order_by %}{{ column }} desc nulls last, {% endfor %}_row_id desc nulls last
            ) as version_rank
        from ({{ evaluate_rules(repeated, quality_rules.rules, references) }}) as evaluated
        where _failed_rules = '' and not is_corrected
    ) as ranked
    where version_rank > 1
{% endmacro %}
