{#
    The configuration of a table that is rebuilt by month: `{{ config(**incremental_by_month('crash_month')) }}`.
    The month column holds the first day of the month and is never null. The model's select has no is_incremental():
    it is computed whole and compared with the table by a hash a month, and only the months that differ are written.
    `compare`: columns that tell by themselves whether a month differs, such as the key of a row and what it was made of;
    all columns if not given. The select is then computed for the months that are written and for no other.
    `facts`, for an aggregate: the model whose rows it aggregates, which has the same month column and `_built_at`. A month
    then differs if its facts are not those that it is made of, by the newest of their `_built_at`, which it keeps as
    `_source_built_at`, and by their number, which it counts by the expression `counted`.
    The column `_built_at: {{ run_timestamp() }}` is not compared; it tells `publish` which months were written.
    on_schema_change is 'fail', because any other value leaves columns that a full refresh would not give.
#}
{% macro incremental_by_month(month_column, compare=[], facts=none, counted=none) %}
    {{ return({
        'meta': {'compare': compare, 'facts': facts, 'counted': counted},
        'materialized': 'incremental',
        'incremental_strategy': 'changed_months',
        'unique_key': month_column,
        'indexes': indexes_on([month_column]),
        'partition_by': partitions_on(month_column),
        'on_schema_change': 'fail',
    }) }}
{% endmacro %}

{#
    dbt's incremental materialisation keeps the select in a temporary table before it calls the strategy. Here a view does:
    the select is read once for the hashes and once for the months that differ, and never written as a whole.
#}
{% macro duckdb__create_table_as(temporary, relation, compiled_code, language='sql', partitioned_by=none, sorted_by=none) %}
    {% if temporary and config.get('incremental_strategy') == 'changed_months' %}
        {% if config.get('contract').enforced %}{{ get_assert_columns_equivalent(compiled_code) }}{% endif %}
        create or replace temporary view {{ relation.include(database=false, schema=false) }} as ({{ compiled_code }})
    {% else %}
        {{ return(dbt.duckdb__create_table_as(
            temporary, relation, compiled_code, language, partitioned_by, sorted_by
        )) }}
    {% endif %}
{% endmacro %}

{% macro postgres__create_table_as(temporary, relation, sql) %}
    {% if temporary and config.get('contract').enforced %}
        {# The table has the contract's types; a varchar for a text would count as a changed schema. #}
        {% set staging = typed_by_contract(sql) %}
    {% endif %}
    {% if temporary and config.get('incremental_strategy') == 'changed_months' %}
        {% if staging %}{{ get_assert_columns_equivalent(sql) }}{% endif %}
        create temporary view {{ relation }} as ({{ staging or sql }})
    {% else %}
        {{ return(dbt.postgres__create_table_as(temporary, relation, staging or sql)) }}
    {% endif %}
{% endmacro %}

{# dbt's incremental materialisation finds the strategy by this name, and runs both statements in one transaction. #}
{% macro get_incremental_changed_months_sql(arg_dict) %}
    {% set target_table = arg_dict['target_relation'] %}
    {% set new_rows = arg_dict['temp_relation'] %}
    {% set month_column = arg_dict['unique_key'] %}
    {% set columns = arg_dict['dest_columns'] %}
    {% set meta = config.get('meta', {}) %}
    {% if meta.get('facts') %}
        {% set states = month_states_by_moment(ref(meta.facts), target_table, month_column, meta.counted) %}
    {% else %}
        {% set compare = meta.get('compare') or columns | map(attribute='name') | list %}
        {% set compared = columns | selectattr('name', 'in', compare) | rejectattr('name', 'equalto', '_built_at') | list %}
        {% set states = month_states_by_hash(new_rows, target_table, month_column, compared) %}
    {% endif %}
    {% set months = months_to_rebuild(states) %}
    {% do log(
        target_table.identifier ~ ': ' ~ ('rebuilding ' ~ (months | join(', ')) if months else 'no month differs'), info=true
    ) %}
    {% if not months %}
        select 'nothing to rebuild'
    {% else %}
        {{ write_months(target_table, new_rows, month_column, months, columns | map(attribute='quoted') | join(', ')) }}
    {% endif %}
{% endmacro %}

{# Statements by which a table has the rows of some months, given as texts, from a relation and from nowhere else. #}
{% macro write_months(target_table, new_rows, month_column, months, names) %}
    {{ return(adapter.dispatch('write_months')(target_table, new_rows, month_column, months, names)) }}
{% endmacro %}

{% macro default__write_months(target_table, new_rows, month_column, months, names) %}
    delete from {{ target_table }} where {{ month_column }} in ({{ list_of_days(months) }});
    insert into {{ target_table }} ({{ names }})
    select {{ names }} from {{ new_rows }} where {{ month_column }} in ({{ list_of_days(months) }})
{% endmacro %}

{# Partitions of which there are new rows are replaced by them; those of which there are none are to be dropped. #}
{% macro spark__write_months(target_table, new_rows, month_column, months, names) %}
    {% set written = run_query(
        'select distinct cast(' ~ month_column ~ ' as string) from ' ~ new_rows
        ~ ' where ' ~ month_column ~ ' in (' ~ list_of_days(months) ~ ')'
    ).columns[0].values() | list %}
    {% do drop_partitions(target_table, month_column, months | reject('in', written) | list) %}
    insert overwrite table {{ target_table }}
    select {{ names }} from {{ new_rows }} where {{ month_column }} in ({{ list_of_days(written) }})
{% endmacro %}

{% macro list_of_days(days) -%}
    {% for day in days %}cast('{{ day }}' as date){{ ', ' if not loop.last }}{% else %}null{% endfor %}
{%- endmacro %}

{# Months, as texts like '2022-04-01', that differ or that the environment's SLUICE_REBUILD names, as 2022 or 2021,2022-04. `states`: a query for month and differs. #}
{% macro months_to_rebuild(states) %}
    {% set named = [] %}
    {% for prefix in env_var('SLUICE_REBUILD', '').split(',') if prefix | trim %}
        {% if not modules.re.match('^[0-9]{4}(-(0[1-9]|1[0-2]))?$', prefix | trim) %}
            {{ exceptions.raise_compiler_error("SLUICE_REBUILD: '" ~ prefix ~ "' is neither a year (2022) nor a month (2022-04)") }}
        {% endif %}
        {% do named.append(prefix | trim) %}
    {% endfor %}
    {% set query %}
        with compared as (
            select cast(month as {{ dbt.type_string() }}) as month, differs from ({{ states }}) as states
        )

        select month from compared
        where differs {%- for prefix in named %} or month like '{{ prefix }}%'{% endfor %}
        order by month
    {% endset %}
    {{ return(run_query(query).columns[0].values() | list) }}
{% endmacro %}

{# Each month, and whether its rows differ between the two relations. #}
{% macro month_states_by_hash(new_rows, target_table, month_column, columns) %}
    select
        coalesce(new_months.month, old_months.month) as month,
        new_months.row_count is distinct from old_months.row_count
        or new_months.row_hash is distinct from old_months.row_hash as differs
    from ({{ month_fingerprints(new_rows, month_column, columns) }}) as new_months
    full outer join ({{ month_fingerprints(target_table, month_column, columns) }}) as old_months
        on new_months.month = old_months.month
{% endmacro %}

{# Each month, and whether an aggregate has it of other facts than there are. #}
{% macro month_states_by_moment(facts, target_table, month_column, counted) %}
    select
        coalesce(there.month, aggregated.month) as month,
        there.row_count is distinct from aggregated.row_count or there.built_at is distinct from aggregated.built_at as differs
    from (
        select {{ month_column }} as month, count(*) as row_count, max(_built_at) as built_at
        from {{ facts }}
        group by {{ month_column }}
    ) as there
    full outer join (
        select {{ month_column }} as month, sum({{ counted }}) as row_count, max(_source_built_at) as built_at
        from {{ target_table }}
        group by {{ month_column }}
    ) as aggregated on there.month = aggregated.month
{% endmacro %}

{# Number of rows of each month and a sum of their hashes, which does not depend on the order of the rows. #}
{% macro month_fingerprints(relation, month_column, columns) %}
    {{ return(adapter.dispatch('month_fingerprints')(relation, month_column, columns)) }}
{% endmacro %}

{% macro duckdb__month_fingerprints(relation, month_column, columns) %}
    select
        {{ month_column }} as month,
        count(*) as row_count,
        sum(cast(hash(
            {%- for column in columns %}cast({{ column.quoted }} as {{ column.dtype }}){{ ', ' if not loop.last }}{% endfor -%}
        ) as hugeint)) as row_hash
    from {{ relation }}
    group by {{ month_column }}
{% endmacro %}

{% macro postgres__month_fingerprints(relation, month_column, columns) %}
    select
        {{ month_column }} as month,
        count(*) as row_count,
        sum(hash_record_extended(row(
            {%- for column in columns %}cast({{ column.quoted }} as {{ column.data_type }}){{ ', ' if not loop.last }}{% endfor -%}
        ), 0)) as row_hash
    from {{ relation }}
    group by {{ month_column }}
{% endmacro %}

{% macro spark__month_fingerprints(relation, month_column, columns) %}
    select
        {{ month_column }} as month,
        count(*) as row_count,
        sum(cast(xxhash64(
            {%- for column in columns %}cast({{ column.quoted }} as {{ column.dtype }}){{ ', ' if not loop.last }}{% endfor -%}
        ) as decimal(20, 0))) as row_hash
    from {{ relation }}
    group by {{ month_column }}
{% endmacro %}
