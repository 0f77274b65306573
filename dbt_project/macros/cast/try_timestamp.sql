{#
    Cast a text to a timestamp without time zone, or null. A layout is written with %Y %m %d %H %M %S on every engine. Without
    a layout the text is ISO 8601; an offset from UTC is subtracted, and a text with the name of a time zone gives null.
#}
{% macro try_timestamp(text, layout=none) -%}
    {{ return(adapter.dispatch('try_timestamp')(text, layout)) }}
{%- endmacro %}

{% macro duckdb__try_timestamp(text, layout) -%}
    {%- if layout -%}
        case when {{ duckdb_begins_with_digit(text) }} then try_strptime({{ text }}, '{{ layout }}') end
    {%- else -%}
        {#-
            A cast to timestamp alone drops the offset; the session is in UTC. A cast to timestamptz takes four times as long,
            and after a text with the name of a time zone it reads the next rows in that zone too.
        -#}
        case
            when {{ text }} like '____-__-__ __:__:__' then try_cast({{ text }} as timestamp)
            when not regexp_matches({{ text }}, ':.* [A-Za-z]') or {{ text }} like '% UTC'
                then case
                    when {{ duckdb_begins_with_digit(text) }} then cast(try_cast({{ text }} as timestamptz) as timestamp)
                end
        end
    {%- endif -%}
{%- endmacro %}

{# False for the words epoch and infinity, which DuckDB casts to times. #}
{% macro duckdb_begins_with_digit(text) -%}
    {{ text }} >= '0' and {{ text }} < ':'
{%- endmacro %}
