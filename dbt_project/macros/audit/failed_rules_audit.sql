{#
    The mart audit_<domain>__failed_rules: one row per entity, rule and input file whose quarantined rows fail the rule, with
    up to three of these rows as examples, so that readers of the published file see what is wrong without the warehouse.
    Everyone may read them: `config: meta: {example_columns: […]}` of a staging model names the delivered columns that the
    examples show, for example of rows about persons. Without it they show all columns.
#}
{% macro failed_rules_audit(entities) %}
    {%- do config(meta={'allow_decrease': true}) -%}
    {%- set domain = domain_of(model.name) -%}
    {%- set examples_per_file = 3 -%}
    with failures as (
        {%- for entity in entities %}
        select
            '{{ entity }}' as entity, coalesce(_source_file, '(no file)') as source_file,
            _dlt_load_id, _row_id, _source_row, {{ split_rules('_failed_rules') }} as rule
        from {{ ref('quarantine_' ~ domain ~ '__' ~ entity) }}
        {% if not loop.last %}union all{% endif %}
        {%- endfor %}
    ),

    numbered as (
        select
            *,
            row_number() over (partition by entity, rule, source_file order by _source_row, _row_id) as number
        from failures
    ),

    example_rows as (
        {%- for entity in entities %}
        select
            '{{ entity }}' as entity,
            quarantined._row_id,
            {{ row_as_json('quarantined') }} as example
        from {{ shown_rows('quarantine_' ~ domain ~ '__' ~ entity) }} as quarantined
        where quarantined._row_id in (select _row_id from numbered where number <= {{ examples_per_file }})
        {% if not loop.last %}union all{% endif %}
        {%- endfor %}
    ),

    loads as (
        select _dlt_load_id, cast(max(loaded_at) as {{ dbt.type_timestamp() }}) as loaded_at
        from {{ source('raw_' ~ domain, 'file_loads') }}
        group by _dlt_load_id
    )

    select
        numbered.entity,
        numbered.rule,
        numbered.source_file,
        cast(count(*) as bigint) as rows_quarantined,
        {{ json_list('example_rows.example', 'numbered.number') }} as examples,
        max(loads.loaded_at) as loaded_at
    from numbered
    left join example_rows
        on numbered.entity = example_rows.entity and numbered._row_id = example_rows._row_id
        and numbered.number <= {{ examples_per_file }}
    left join loads on numbered._dlt_load_id = loads._dlt_load_id
    group by numbered.entity, numbered.rule, numbered.source_file
{% endmacro %}

{# The rows of a quarantine model with the columns that examples may show. #}
{% macro shown_rows(quarantine) -%}
    {%- set columns = staging_meta(quarantine).get('example_columns') if execute -%}
    {%- if columns -%}
        (select _row_id, _source_file, _source_row, {{ columns | join(', ') }}, _failed_rules from {{ ref(quarantine) }})
    {%- else -%}
        {{ ref(quarantine) }}
    {%- endif -%}
{%- endmacro %}

{# One row per name in a comma separated list. #}
{% macro split_rules(column) -%}
    {{ return(adapter.dispatch('split_rules')(column)) }}
{%- endmacro %}

{% macro duckdb__split_rules(column) -%}
    unnest(string_split({{ column }}, ','))
{%- endmacro %}

{# The row of a relation as a JSON object. #}
{% macro row_as_json(alias) -%}
    {{ return(adapter.dispatch('row_as_json')(alias)) }}
{%- endmacro %}

{% macro duckdb__row_as_json(alias) -%}
    to_json({{ alias }})
{%- endmacro %}

{# The JSON values of a group that are not null as the text of one ordered JSON array. #}
{% macro json_list(value, ordering) -%}
    {{ return(adapter.dispatch('json_list')(value, ordering)) }}
{%- endmacro %}

{% macro duckdb__json_list(value, ordering) -%}
    cast(to_json(list({{ value }} order by {{ ordering }}) filter (where {{ value }} is not null)) as {{ dbt.type_string() }})
{%- endmacro %}
