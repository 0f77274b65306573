{# The zone of a trip whose record names none that there is. #}
{% macro unknown_zone() -%}
    264
{%- endmacro %}
