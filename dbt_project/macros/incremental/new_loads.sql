{#
    For a fact of raw rows that keep their key when they change: `{{ config(**merge_by(['key'])) }}`, and at the end of the
    select from the raw table `{{ where_new() }}`. A run then reads only what was loaded since the last one.
#}
{% macro merge_by(key) %}
    {{ return(adapter.dispatch('merge_by')(key)) }}
{% endmacro %}

{% macro default__merge_by(key) %}
    {{ return({
        'materialized': 'incremental',
        'incremental_strategy': 'delete+insert',
        'unique_key': key,
        'on_schema_change': 'fail',
    }) }}
{% endmacro %}

{# A table of Parquet files loses no rows but whole partitions; the facts are small, so that they are made anew. #}
{% macro spark__merge_by(key) %}
    {{ return({'materialized': 'table'}) }}
{% endmacro %}

{# dlt's load ids are seconds since 1970, all of one length. #}
{% macro where_new() -%}
    {%- if is_incremental() -%}
        where _dlt_load_id > (select coalesce(max(_dlt_load_id), '') from {{ this }})
    {%- endif -%}
{%- endmacro %}
