{#
    Text as a timestamp without time zone, null where it is none. A layout is written with %Y %m %d %H %M %S on every
    engine; an engine that spells layouts differently translates these six. Without a layout the text is ISO 8601; an
    offset from UTC in it is taken off, and a text with the name of a time zone is none.
#}
{% macro try_timestamp(text, layout=none) -%}
    {{ return(adapter.dispatch('try_timestamp')(text, layout)) }}
{%- endmacro %}

{% macro duckdb__try_timestamp(text, layout) -%}
    {%- if layout -%}
        try_strptime({{ text }}, '{{ layout }}')
    {%- else -%}
        {#-
            A cast to timestamp alone drops the offset; the session is in UTC. One to timestamptz takes four times as long, and
            after the name of a time zone takes the next rows for times of that zone too.
        -#}
        case
            when {{ text }} like '____-__-__ __:__:__' then try_cast({{ text }} as timestamp)
            when not regexp_matches({{ text }}, ':.* [A-Za-z]') or {{ text }} like '% UTC'
                then {{ duckdb_finite("cast(try_cast(" ~ text ~ " as timestamptz) as timestamp)") }}
        end
    {%- endif -%}
{%- endmacro %}

{# A timestamp, null for the words infinity and inf, which are no time on other engines. #}
{% macro duckdb_finite(timestamp) -%}
    nullif(nullif({{ timestamp }}, 'infinity'), '-infinity')
{%- endmacro %}
