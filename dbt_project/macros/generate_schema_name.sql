{# A model's schema is its layer's name in every environment. Nodes without a layer use the profile's schema. #}
{% macro generate_schema_name(custom_schema_name, node) -%}
    {{ (custom_schema_name or target.schema) | trim }}
{%- endmacro %}
