{#
    Text as a timestamp without time zone, null where it is none. The layout is written with %Y %m %d %H %M %S
    on every engine; an engine that spells layouts differently translates these six.
#}
{% macro try_timestamp(text, layout) -%}
    {{ return(adapter.dispatch('try_timestamp')(text, layout)) }}
{%- endmacro %}

{% macro duckdb__try_timestamp(text, layout) -%}
    try_strptime({{ text }}, '{{ layout }}')
{%- endmacro %}
