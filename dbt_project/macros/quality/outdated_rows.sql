{# Query the ids of valid rows that are followed by a later valid row with the same key. #}
{% macro outdated_rows(relation, quality_rules, references, conflicts) %}
    select _row_id
    from (
        select
            _row_id,
            row_number() over (
                partition by {{ quality_rules.key | join(', ') }}
                order by {% for column in quality_rules.order_by %}{{ column }} desc nulls last, {% endfor %}_row_id desc nulls last
            ) as version_rank
        from ({{ evaluate_rules(relation, quality_rules.rules, references, conflicts) }}) as evaluated
        where _failed_rules = '' and not is_corrected
    ) as ranked
    where version_rank > 1
{% endmacro %}
