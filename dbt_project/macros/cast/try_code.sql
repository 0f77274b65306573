{# Text as the number of a code: null where nothing is written, -1 where it is no whole number. #}
{% macro try_code(text) -%}
    case when {{ strip_spaces(text) }} <> '' then coalesce({{ try_integer(text) }}, -1) end
{%- endmacro %}
