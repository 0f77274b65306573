{% macro postgres__optimizer_fence() -%}
    offset 0
{%- endmacro %}

{% macro postgres__materialize_staging() %}
    {{ return(true) }}
{% endmacro %}
