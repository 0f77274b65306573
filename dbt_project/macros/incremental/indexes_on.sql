{# The `indexes` of a model's configuration, one a column, where an engine that keeps rows together needs them to find a few. #}
{% macro indexes_on(columns) %}
    {{ return(adapter.dispatch('indexes_on')(columns)) }}
{% endmacro %}

{% macro default__indexes_on(columns) %}
    {{ return([]) }}
{% endmacro %}

{% macro postgres__indexes_on(columns) %}
    {%- set indexes = [] -%}
    {%- for column in columns -%}
        {%- do indexes.append({'columns': [column]}) -%}
    {%- endfor -%}
    {{ return(indexes) }}
{% endmacro %}
