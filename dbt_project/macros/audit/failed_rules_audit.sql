{#
    The mart audit_<domain>__failed_rules: one row per entity, rule and input file whose quarantined rows fail the rule, with
    up to three of these rows as examples, so that readers of the published file see what is wrong without the warehouse.
    Everyone may read them: `config: meta: {example_columns: […]}` of a quarantine model names the delivered columns that the
    examples show, for example of rows about persons. Without it they show all columns.
#}
{% macro failed_rules_audit(entities) %}
    {%- do config(meta={'allow_decrease': true}) -%}
    {%- set domain = domain_of(model.name) -%}
    {%- set examples_kept = 3 -%}
    with broken as (
        {%- for entity in entities %}
        select
            '{{ entity }}' as entity, coalesce(_source_file, '(no file)') as source_file,
            _dlt_load_id, _row_id, _source_row, {{ each_rule('_failed_rules') }} as rule
        from {{ ref('quarantine_' ~ domain ~ '__' ~ entity) }}
        {% if not loop.last %}union all{% endif %}
        {%- endfor %}
    ),

    placed as (
        select
            *,
            row_number() over (partition by entity, rule, source_file order by _source_row, _row_id) as place
        from broken
    ),

    example_rows as (
        {%- for entity in entities %}
        select
            '{{ entity }}' as entity,
            quarantined._row_id,
            {{ row_as_json('quarantined') }} as example
        from {{ shown_rows('quarantine_' ~ domain ~ '__' ~ entity) }} as quarantined
        where {{ in_subquery('quarantined._row_id', 'select _row_id from placed where place <= ' ~ examples_kept) }}
        {% if not loop.last %}union all{% endif %}
        {%- endfor %}
    ),

    loads as (
        select _dlt_load_id, cast(max(loaded_at) as {{ dbt.type_timestamp() }}) as loaded_at
        from {{ source('raw_' ~ domain, 'file_loads') }}
        group by _dlt_load_id
    ),

    counted as (
        select
            placed.entity, placed.rule, placed.source_file,
            cast(count(*) as bigint) as rows_quarantined,
            max(loads.loaded_at) as loaded_at
        from placed
        left join loads on placed._dlt_load_id = loads._dlt_load_id
        group by placed.entity, placed.rule, placed.source_file
    ),

    exampled as (
        select
            placed.entity, placed.rule, placed.source_file,
            {{ json_list('example_rows.example', 'placed.place') }} as examples
        from placed
        inner join example_rows on placed.entity = example_rows.entity and placed._row_id = example_rows._row_id
        where placed.place <= {{ examples_kept }}
        group by placed.entity, placed.rule, placed.source_file
    )

    select
        counted.entity,
        counted.rule,
        counted.source_file,
        counted.rows_quarantined,
        exampled.examples,
        counted.loaded_at
    from counted
    inner join exampled
        on counted.entity = exampled.entity and counted.rule = exampled.rule
        and counted.source_file = exampled.source_file
{% endmacro %}

{# The rows of a quarantine model with the columns that examples may show. #}
{% macro shown_rows(quarantine) -%}
    {%- set columns = graph.nodes['model.' ~ project_name ~ '.' ~ quarantine].config.meta.get('example_columns') if execute -%}
    {%- if columns -%}
        (select _row_id, _source_file, _source_row, {{ columns | join(', ') }}, _failed_rules from {{ ref(quarantine) }})
    {%- else -%}
        {{ ref(quarantine) }}
    {%- endif -%}
{%- endmacro %}

{# A row for each name in a comma separated list. #}
{% macro each_rule(column) -%}
    {{ return(adapter.dispatch('each_rule')(column)) }}
{%- endmacro %}

{% macro duckdb__each_rule(column) -%}
    unnest(string_split({{ column }}, ','))
{%- endmacro %}

{# The row of a relation's alias as a JSON object. #}
{% macro row_as_json(alias) -%}
    {{ return(adapter.dispatch('row_as_json')(alias)) }}
{%- endmacro %}

{% macro duckdb__row_as_json(alias) -%}
    to_json({{ alias }})
{%- endmacro %}

{# JSON values of a group as the text of one JSON array, in an order. #}
{% macro json_list(value, ordering) -%}
    {{ return(adapter.dispatch('json_list')(value, ordering)) }}
{%- endmacro %}

{% macro duckdb__json_list(value, ordering) -%}
    cast(to_json(list({{ value }} order by {{ ordering }})) as {{ dbt.type_string() }})
{%- endmacro %}
