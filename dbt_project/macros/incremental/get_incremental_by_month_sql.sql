{#
    Incremental strategy `by_month`: compare the model's select with the table month by month, and replace only the months
    that differ. `unique_key` is the month column: the first day of the month, never null. The select has no
    is_incremental(). Parameters, in the model's meta:
      compare_columns  columns that tell whether a month differs, such as a row's key and when it was validated; all columns
                       by default. Other columns are computed only for the months that are written.
      compare_model    a model that has a row for each row of the select, with its month column and these columns, and is
                       read in its place: a select that joins other models computes the joins to be compared.
      fact_model       for an aggregate: the fact that it aggregates, which has the same month column and `_built_at`. A
                       month differs if the newest `_built_at` of its facts is not the aggregate's `_source_built_at`, or
                       their number is not the sum of `fact_rows`, an expression over the aggregate's columns.
      joined_models    models with `_built_at` that the select joins. If one was built after the last month was written,
                       its rows may differ in any month, so all columns are compared.
    `_built_at: {{ run_timestamp() }}` is not compared; it tells `publish` which months were written.
#}
{% macro get_incremental_by_month_sql(arg_dict) %}
    {% set table, new_rows = arg_dict['target_relation'], arg_dict['temp_relation'] %}
    {% set columns, month_column = arg_dict['dest_columns'], config.require('unique_key') %}
    {% set states = month_states(table, new_rows, month_column, columns | rejectattr('name', 'eq', '_built_at') | list) %}
    {% set months = months_to_rebuild(states) %}
    {% do log(table.identifier ~ ': ' ~ ('rebuilding ' ~ months | join(', ') if months else 'no month differs'), info=true) %}
    {% if months %}
        {{ write_months(table, new_rows, month_column, months, columns | map(attribute='quoted') | join(', ')) }}
    {% else %}
        select 'no month differs'
    {% endif %}
{% endmacro %}

{# Query each month, and whether it differs, by the least that tells it. #}
{% macro month_states(table, new_rows, month_column, columns) %}
    {% set compared, fact_model = config.meta_get('compare_columns'), config.meta_get('fact_model') %}
    {% if not (compared or fact_model) or is_any_newer(config.meta_get('joined_models') or [], table) %}
        {{ return(month_states_by_hash(new_rows, table, month_column, columns)) }}
    {% elif fact_model %}
        {{ return(month_states_by_source(ref(fact_model), table, month_column, config.meta_require('fact_rows'))) }}
    {% endif %}
    {% set compare_model = config.meta_get('compare_model') %}
    {{ return(month_states_by_hash(
        ref(compare_model) if compare_model else new_rows, table, month_column,
        columns | selectattr('name', 'in', compared) | list,
    )) }}
{% endmacro %}
