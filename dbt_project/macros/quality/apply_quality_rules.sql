{#
    Validate every row of a staging model by the rules in its YAML (see quality_rules). Adds:
      <flag>         for each reference: whether the row's value exists in the referenced relation
      is_replaced    a later row corrects this one, or the row fails a rule and its file was delivered again since
      _failed_rules  names of all rules that the row fails, comma separated in the order of the YAML; '' for none. Two rules
                     need no YAML, and come last: <column>_is_readable, which a row fails whose value is there but cannot
                     be read (unless a rule in the YAML reads the column), and key_is_unique_in_its_file
      row_status     valid, quarantined or superseded (replaced, or followed by a later valid row with the same key)
      _rules_hash    of the rules that were applied (see rules_hash)
      _validated_at  start of the run that validated the row, UTC. The strategy by_month compares it instead of all columns.
    `references`: {flag: {column, relation, key}}; rules may use the flags. `delivered_whole`: false if a later delivery
    does not contain all rows of an earlier one, as of an API that gives only changed records.

    A load never changes; it arrives or is deleted. Only a row of an API leaves its load when a later one has its next
    version, under the same id. An incremental run validates only the rows whose result may differ (see rows_to_validate),
    and gives rows of deleted loads the row_status 'deleted' (see get_incremental_by_load_sql).
#}
{% macro apply_quality_rules(staging, raw, references={}, delivered_whole=true) %}
    {%- set rules = quality_rules(model) -%}
    {%- for flag in rules.get('references', {}) if flag not in references %}
        {{ exceptions.raise_compiler_error(model.name ~ ' does not look up ' ~ flag ~ '; run `sluice generate`') }}
    {%- endfor -%}
    {%- set hash = rules_hash(rules, staging) -%}
    {%- set flags = references | list + ['is_replaced', '_failed_rules'] -%}
    {%- set columns = staging_columns(staging, added=flags + ['row_status', '_rules_hash', '_validated_at']) -%}
    {#- A unit test may not know the columns. An API gives records one after the other, which may be versions. -#}
    {%- set conflicts = columns and delivered_whole and rules.key != ['_row_id'] -%}
    {%- set selected = (columns + flags) | join(', ') if columns else '*' -%}
    {%- set to_validate = 'to_validate' if is_incremental() or materialize_staging() else staging -%}
    with corrections as (
        {{- corrected_rows(raw) }}
    ),

    redelivered_loads as (
        {{- redelivered_loads(raw) if delivered_whole else ' select _dlt_load_id from ' ~ raw ~ ' where false' }}
    ),

    {% if is_incremental() -%}
    {{ rows_to_validate(staging, columns, rules.key, references, load_changes(raw, hash)) }}
    {%- elif materialize_staging() -%}
    to_validate as (
        select * from {{ staging }}
    ),
    {%- endif %}

    repeated as (
        {{- repeated_rows(to_validate, rules.key) }}
    ),

    {% if conflicts -%}
    conflicting as (
        {{- conflicting_rows(rules.key, columns) }}
    ),
    {%- endif %}

    outdated as (
        {{- outdated_rows('repeated', rules, references, conflicts) }}
    ),

    validated as (
        select
            *,
            is_corrected
            or (_failed_rules <> '' and {{ in_subquery('_dlt_load_id', 'select _dlt_load_id from redelivered_loads') }})
                as is_replaced,
            {{ in_subquery('_row_id', 'select _row_id from outdated') }} as is_outdated
        from ({{ evaluate_rules(to_validate, rules.rules, references, conflicts) }}) as evaluated
    )

    select
        {{ selected }},
        case
            when is_replaced or is_outdated then 'superseded'
            when _failed_rules <> '' then 'quarantined'
            else 'valid'
        end as row_status,
        '{{ hash }}' as _rules_hash,
        {{ run_timestamp() }} as _validated_at
    from validated
    {%- if is_incremental() %}
    union all
    select {{ selected }}, 'deleted' as row_status, _rules_hash, _validated_at from deleted
    {%- endif %}
{% endmacro %}
