{# Whether the value of a row's reference is a key of the relation that it refers to. #}
{% macro reference_exists(alias, reference) -%}
    {{ in_subquery(alias ~ '.' ~ reference.column, 'select ' ~ reference.key ~ ' from ' ~ reference.relation) }}
{%- endmacro %}
