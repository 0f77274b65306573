{# A layer's schema has exactly the layer's name, in every environment; what has no layer goes to the profile's schema. #}
{% macro generate_schema_name(custom_schema_name, node) -%}
    {{ (custom_schema_name or target.schema) | trim }}
{%- endmacro %}
