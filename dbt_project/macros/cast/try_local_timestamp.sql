{#
    Cast a text (ISO 8601) to the time that a clock in New York showed, or null. A text says it as it is, with any of the
    offsets of New York, or marked as UTC, as programs mark times without a zone. With another offset it is null.
#}
{% macro try_local_timestamp(text) -%}
    {{ return(adapter.dispatch('try_local_timestamp')(text)) }}
{%- endmacro %}

{% macro duckdb__try_local_timestamp(text) -%}
    {%- set local = without_new_york_offset(text) -%}
    case
        when {{ text }} like '____-__-__ __:__:__' then try_cast({{ text }} as timestamp)
        when {{ duckdb_begins_with_digit(text) }} and not {{ has_offset(local) }} then try_cast({{ local }} as timestamp)
    end
{%- endmacro %}

{% macro without_new_york_offset(text) -%}
    {{ keep_group(text, '(:[0-9.]+)( ?Z| ?UTC|[+-]00(:?00)?|-0[45](:?00)?)$') }}
{%- endmacro %}

{% macro has_offset(text) -%}
    {{ matches(text, ':.*[^0-9:. ]') }}
{%- endmacro %}
