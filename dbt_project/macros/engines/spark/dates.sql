{% macro spark__iso_weekday(date) -%}
    weekday({{ date }}) + 1
{%- endmacro %}

{% macro spark__seconds_between(begun, ended) -%}
    cast({{ ended }} as double) - cast({{ begun }} as double)
{%- endmacro %}
