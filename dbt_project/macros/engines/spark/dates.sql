{% macro spark__iso_weekday(date) -%}
    weekday({{ date }}) + 1
{%- endmacro %}

{% macro spark__seconds_between(started, ended) -%}
    cast({{ ended }} as double) - cast({{ started }} as double)
{%- endmacro %}
