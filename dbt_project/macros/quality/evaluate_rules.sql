{#
    Query a relation's rows with the flags of their references, is_corrected and _failed_rules. `conflicts`: whether to look
    rows up in `conflicting`, those with a key that their file has twice.
#}
{% macro evaluate_rules(relation, rules, references, conflicts) %}
    select
        *,
        substr(
            {%- for rule in rules %}
            case when {{ rule_condition(rule) }} then '' else ',{{ rule.name }}' end ||
            {%- endfor %}
            {{ unreadable_rules(rules) }}
            {%- if conflicts %}
            || case when is_in_conflict then ',key_is_unique_in_its_file' else '' end
            {%- endif %}, 2
        ) as _failed_rules
    from (
        select
            candidates.*,
            {%- for flag, reference in references.items() %}
            {{ reference_exists('candidates', reference) }} as {{ flag }},
            {%- endfor %}
            {%- if conflicts %}
            {{ in_subquery('candidates._row_id', 'select _row_id from conflicting') }} as is_in_conflict,
            {%- endif %}
            {{ in_subquery('candidates._row_id', 'select _corrects_row_id from corrections') }} as is_corrected
        from {{ relation }} as candidates
        {{ optimizer_fence() }}
    ) as referenced
    {{ optimizer_fence() }}
{%- endmacro %}
