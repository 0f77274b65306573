{# The `partition_by` of a model's configuration, where an engine replaces no rows but those of whole partitions. #}
{% macro partitions_on(column) %}
    {{ return(adapter.dispatch('partitions_on')(column)) }}
{% endmacro %}

{% macro default__partitions_on(column) %}
    {{ return(none) }}
{% endmacro %}

{% macro spark__partitions_on(column) %}
    {{ return([column]) }}
{% endmacro %}
