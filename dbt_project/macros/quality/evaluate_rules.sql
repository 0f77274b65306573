{# Query a relation's rows with the flags of their references, is_corrected and _failed_rules. #}
{% macro evaluate_rules(relation, rules, references) %}
    select
        *,
        substr(
            {%- for rule in rules %}
            case when {{ rule.expression }} then '' else ',{{ rule.name }}' end ||
            {%- endfor %} '', 2
        ) as _failed_rules
    from (
        select
            candidates.*,
            {%- for flag, reference in references.items() %}
            {{ reference_exists('candidates', reference) }} as {{ flag }},
            {%- endfor %}
            {{ in_subquery('candidates._row_id', 'select _corrects_row_id from corrections') }} as is_corrected
        from {{ relation }} as candidates
        {{ optimizer_fence() }}
    ) as referenced
    {{ optimizer_fence() }}
{%- endmacro %}
