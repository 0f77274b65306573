{#
    Every row of a staging model with the verdict on it, by the rules in the YAML of the model that calls this:
      _failed_rules  names of all rules that the row breaks, comma separated in the order of the YAML; '' for a valid row
      is_replaced   a line delivered later names this row as the one that it corrects, or the row breaks a rule and its
                    file, if it corrects no rows itself, was delivered again since
      row_status          clean, quarantined or superseded: replaced, or there is a later valid row of the same key
      _validated_at    when the run began that validated the row (UTC); what is made of rows by month compares it, which costs
                    less than to compare the rows (see incremental_by_month)
    `references`: {flag: {column, relation, key}}; the flag, which rules may use, tells whether the column's value is
    among the relation's keys. `delivered_whole`: a file that is delivered again has all of its rows again; an API, which
    gives those that have changed, has not, and its model is a table: a record changes under its _row_id.

    A run judges the rows of new loads, and of the rows validated before those whose verdict may differ: rows of a key that
    a new or vanished row has, and rows whose references or replacements changed. A load never changes, it comes or
    goes; rows of a load that is gone, or that was validated by other rules, come with the row_status 'gone' (see incremental_by_load).
#}
{% macro apply_quality_rules(staging, raw, references={}, delivered_whole=true) %}
    {%- set meta = quality_rules(model) -%}
    {%- set version = rules_version(meta, staging) -%}
    {%- set validated_before = is_incremental() -%}
    {%- set flags = references | list + ['is_replaced', '_failed_rules'] -%}
    {%- set earlier = 'select _dlt_load_id from earlier_deliveries' -%}
    {#- A unit test gives rows in place of the staging model, which has no schema then. -#}
    {%- set typed_columns = adapter.get_columns_in_relation(staging) | map(attribute='name') | list if execute and staging.schema else [] -%}
    {%- set columns = typed_columns | join(', ') -%}
    {%- set to_validate = 'to_validate' if validated_before or materialize_staging() else staging -%}
    {%- if validated_before -%}
        {% do fail_if_columns_differ(typed_columns + flags + ['row_status', '_rules_hash', '_validated_at']) %}
        {%- set fresh_loads = loads_to_validate(raw, version) -%}
        {#- Their rows are as if never validated. -#}
        {%- set leaving_loads = fresh_loads + loads_gone(raw) -%}
        {#- Few domains have corrections, and to look for none among all rows costs as much as to look for some. -#}
        {%- set is_corrected = in_subquery('standing._row_id', 'select _corrects_row_id from replacements') if has_corrections(raw) else 'false' -%}
    {%- endif -%}
    with deliveries as (
        select
            _source_file,
            _dlt_load_id,
            max(case when _corrects_row_id is null then 0 else 1 end) as corrects
        from {{ raw }}
        group by _source_file, _dlt_load_id
    ),

    earlier_deliveries as (
        select distinct deliveries._dlt_load_id
        from deliveries
        inner join deliveries as later
            on deliveries._source_file = later._source_file and deliveries._dlt_load_id < later._dlt_load_id
        {#- Corrections that are delivered under the name of earlier ones are others, and those still stand. #}
        where {{ 'deliveries.corrects = 0' if delivered_whole else 'false' }}
    ),

    replacements as (
        select distinct _corrects_row_id from {{ raw }} where _corrects_row_id is not null
    ),
    {%- if validated_before %}

    delivered as (
        select {{ columns }} from {{ staging }} where {{ in_loads(fresh_loads) }}
    ),

    gone as (
        select * from {{ this }} where {{ in_loads(leaving_loads) }}
    ),

    changed as (
        select {{ prefixed('standing', (['_row_id'] + meta.key) | unique) }}
        from {{ this }} as standing
        where
            not {{ in_loads(leaving_loads) }}
            and (
                standing.is_replaced <> (
                    {{ is_corrected }}
                    or (standing._failed_rules <> '' and {{ in_subquery('standing._dlt_load_id', earlier) }})
                )
                {%- for flag, reference in references.items() %}
                or standing.{{ flag }} <> {{ refers('standing', reference) }}
                {%- endfor %}
            )
    ),

    touched_keys as (
        select {{ meta.key | join(', ') }} from delivered
        union
        select {{ meta.key | join(', ') }} from gone
        union
        select {{ meta.key | join(', ') }} from changed
    ),

    {# Found by their ids first: reading all columns of all rows would cost the most. #}
    touched as (
        select standing._row_id from {{ this }} as standing
        where
            not {{ in_loads(leaving_loads) }}
            and {{ in_subquery('(' ~ prefixed('standing', meta.key) ~ ')', 'select ' ~ meta.key | join(', ') ~ ' from touched_keys') }}
        union
        select _row_id from changed
    ),

    to_validate as (
        select {{ columns }} from delivered
        union all
        select {{ columns }} from {{ this }} where _row_id in (select _row_id from touched)
    ),
    {%- elif materialize_staging() %}

    to_validate as (
        select * from {{ staging }}
    ),
    {%- endif %}

    {# Few keys are repeated, so that few rows need to be ranked. #}
    repeated_keys as (
        select {{ meta.key | join(', ') }} from {{ to_validate }} group by {{ meta.key | join(', ') }} having count(*) > 1
    ),

    repeated as (
        select candidates.*
        from {{ to_validate }} as candidates
        where ({{ prefixed('candidates', meta.key) }}) in (select {{ meta.key | join(', ') }} from repeated_keys)
    ),

    ranked as (
        select
            _row_id,
            row_number() over (
                partition by {{ meta.key | join(', ') }}
                order by {% for column in meta.order_by %}{{ column }} desc nulls last, {% endfor %}_row_id desc nulls last
            ) as version_rank
        from ({{ ruled_rows('repeated', meta.rules, references) }}) as ruled
        where _failed_rules = '' and not is_corrected
    ),

    validated as (
        select
            *,
            is_corrected or (_failed_rules <> '' and {{ in_subquery('_dlt_load_id', earlier) }}) as is_replaced,
            {{ in_subquery('_row_id', 'select _row_id from ranked where version_rank > 1') }} as is_outdated
        from ({{ ruled_rows(to_validate, meta.rules, references) }}) as ruled
    )

    select
        {{ (typed_columns + flags) | join(', ') if typed_columns else '*' }},
        case
            when is_replaced or is_outdated then 'superseded'
            when _failed_rules <> '' then 'quarantined'
            else 'valid'
        end as row_status,
        '{{ version }}' as _rules_hash,
        {{ run_timestamp() }} as _validated_at
    from validated
    {%- if validated_before %}
    union all
    select {{ (typed_columns + flags) | join(', ') }}, 'gone' as row_status, _rules_hash, _validated_at from gone
    {%- endif %}
{% endmacro %}

{#
    Whether all rows of a staging model are kept while a run judges them all, which reads them three times. To type a row
    takes PostgreSQL longer than to write it and read it again; DuckDB types just the columns that a reading asks for.
#}
{% macro materialize_staging() %}
    {{ return(adapter.dispatch('materialize_staging')()) }}
{% endmacro %}

{% macro default__materialize_staging() %}
    {{ return(false) }}
{% endmacro %}

{% macro postgres__materialize_staging() %}
    {{ return(true) }}
{% endmacro %}

{# The rows of a relation with the flags of their references, is_corrected and _failed_rules. #}
{% macro ruled_rows(relation, rules, references) %}
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
            {{ refers('candidates', reference) }} as {{ flag }},
            {%- endfor %}
            {{ in_subquery('candidates._row_id', 'select _corrects_row_id from replacements') }} as is_corrected
        from {{ relation }} as candidates
        {{ optimizer_fence() }}
    ) as referenced
    {{ optimizer_fence() }}
{%- endmacro %}

{# Whether a row's reference is there. #}
{% macro refers(relation, reference) -%}
    {{ in_subquery(relation ~ '.' ~ reference.column, 'select ' ~ reference.key ~ ' from ' ~ reference.relation) }}
{%- endmacro %}

{#
    Whether a value is among those of a query, none of which is null. A left join would say the same, but DuckDB may take
    the millions of rows for the smaller side of it and keep them in memory; of this it always keeps the query's.
#}
{% macro in_subquery(value, query) -%}
    coalesce({{ value }} in ({{ query }}), false)
{%- endmacro %}

{% macro prefixed(relation, columns) -%}
    {%- for column in columns %}{{ relation }}.{{ column }}{{ ', ' if not loop.last }}{% endfor -%}
{%- endmacro %}

{# Whether a row's load is among some; written out, so that the engine reads those loads alone. #}
{% macro in_loads(loads) -%}
    {% if loads %}_dlt_load_id in ('{{ loads | join("', '") }}'){% else %}false{% endif %}
{%- endmacro %}

{# Whether a row of the raw table corrects another one. #}
{% macro has_corrections(raw) %}
    {{ return(run_query('select 1 from ' ~ raw ~ ' where _corrects_row_id is not null limit 1') | length > 0) }}
{% endmacro %}

{# Loads of the raw table that have not been validated, or by other rules. #}
{% macro loads_to_validate(raw, version) %}
    {% set query %}
        select distinct _dlt_load_id from {{ raw }}
        where _dlt_load_id not in (select distinct _dlt_load_id from {{ this }} where _rules_hash = '{{ version }}')
        order by _dlt_load_id
    {% endset %}
    {{ return(run_query(query).columns[0].values() | list) }}
{% endmacro %}

{# Loads that were validated and are in the raw table no more. #}
{% macro loads_gone(raw) %}
    {% set query %}
        select distinct _dlt_load_id from {{ this }}
        where _dlt_load_id not in (select distinct _dlt_load_id from {{ raw }})
        order by _dlt_load_id
    {% endset %}
    {{ return(run_query(query).columns[0].values() | list) }}
{% endmacro %}

{% macro fail_if_columns_differ(expected) %}
    {% set found = adapter.get_columns_in_relation(this) | map(attribute='name') | list %}
    {% if found | sort != expected | sort %}
        {{ exceptions.raise_compiler_error(
            this ~ ' has other columns than its staging model and rules now give; build it with --full-refresh'
        ) }}
    {% endif %}
{% endmacro %}
