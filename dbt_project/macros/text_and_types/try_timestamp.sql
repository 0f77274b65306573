{#
    Text as a timestamp without time zone, null where it is none. A layout is written with %Y %m %d %H %M %S on every
    engine; an engine that spells layouts differently translates these six. Without a layout the text is ISO 8601; an
    offset from UTC in it is taken off.
#}
{% macro try_timestamp(text, layout=none) -%}
    {{ return(adapter.dispatch('try_timestamp')(text, layout)) }}
{%- endmacro %}

{% macro duckdb__try_timestamp(text, layout) -%}
    {%- if layout -%}
        try_strptime({{ text }}, '{{ layout }}')
    {%- else -%}
        {#- A cast to timestamp alone drops the offset; the session is in UTC. -#}
        cast(try_cast({{ text }} as timestamptz) as timestamp)
    {%- endif -%}
{%- endmacro %}
