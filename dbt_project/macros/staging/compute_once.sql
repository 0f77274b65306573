{#
    Use the value of an expression several times: `{% call(value) compute_once(expression, 'name') %} … {{ value }} … {% endcall %}`.
    Spark gets it as the argument of a lambda function: a view's text is kept in its metastore, which may allow no more
    than 32,700 characters. Other engines get the expression wherever it is used, and compute it once.
#}
{% macro compute_once(expression, name) -%}
    {%- set start, value, end = adapter.dispatch('compute_once_parts')(expression, name) -%}
    {{ start }}{{ caller(value) }}{{ end }}
{%- endmacro %}

{% macro default__compute_once_parts(expression, name) -%}
    {{- return(['', expression, '']) -}}
{%- endmacro %}
