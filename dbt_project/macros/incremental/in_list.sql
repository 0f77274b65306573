{# Whether a column has one of some values. They are literals, so that the engine reads only the rows or files that have them. #}
{% macro in_list(column, values, type='') -%}
    {% for value in values %}{{ column ~ ' in (' if loop.first }}{{ type }} '{{ value }}'{{ ')' if loop.last else ', ' }}{% else %}false{% endfor %}
{%- endmacro %}
