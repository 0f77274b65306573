{#
    Each row of a typed model ends in exactly one of clean_rows, superseded_rows and quarantined_rows, by the rules
    in the YAML of the clean model (see rules_of). The typed model has every raw row once, with its _row_id.
#}

{# Rows that break no rule and are the last of their key. #}
{% macro clean_rows(clean_model, typed) %}
    select judged.*
    from ({{ judged_rows(clean_model, typed) }}) as judged
    where
        judged.broken_rules = ''
        and not exists (
            select 1 from ({{ superseded_versions(clean_model, typed) }}) as superseded
            where superseded._row_id = judged._row_id
        )
{% endmacro %}

{# Rows that break no rule, but of whose key there is a later valid row. #}
{% macro superseded_rows(clean_model, typed) %}
    select typed.*
    from {{ typed }} as typed
    inner join ({{ superseded_versions(clean_model, typed) }}) as superseded on typed._row_id = superseded._row_id
{% endmacro %}

{# Rows that break a rule, as delivered and with the names of all rules that they break. #}
{% macro quarantined_rows(clean_model, typed, raw) %}
    select
        raw.*,
        judged.broken_rules
    from {{ raw }} as raw
    inner join ({{ judged_rows(clean_model, typed) }}) as judged on raw._row_id = judged._row_id
    where judged.broken_rules <> ''
{% endmacro %}

{# Every row of the typed model with broken_rules: names, comma separated in the order of the YAML; '' for a valid row. #}
{% macro judged_rows(clean_model, typed) %}
    select
        typed.*,
        substr(
            {%- for rule in rules_of(clean_model).rules %}
            case when {{ rule.expression }} then '' else ',{{ rule.name }}' end ||
            {%- endfor %} '', 2
        ) as broken_rules
    from {{ typed }} as typed
{% endmacro %}

{# _row_id of the valid rows that are not the last of their key; few columns, because all valid rows are sorted here. #}
{% macro superseded_versions(clean_model, typed) %}
    {%- set meta = rules_of(clean_model) -%}
    select _row_id
    from (
        select
            _row_id,
            row_number() over (
                partition by {{ meta.key | join(', ') }}
                order by {% for column in meta.latest_by %}{{ column }} desc nulls last, {% endfor %}_row_id desc nulls last
            ) as version_rank
        from ({{ judged_rows(clean_model, typed) }}) as judged
        where broken_rules = ''
    ) as ranked
    where version_rank > 1
{% endmacro %}
