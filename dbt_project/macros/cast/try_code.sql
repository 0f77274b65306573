{# Cast a text to a numeric code: null if it is empty, -1 if it is not a whole number. #}
{% macro try_code(text) -%}
    case when {{ strip_spaces(text) }} <> '' then coalesce({{ try_integer(text) }}, -1) end
{%- endmacro %}
