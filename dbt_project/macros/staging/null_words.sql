{# Whether a delivered text is null, blank or one of the variable null_words. #}
{% macro is_absent(text) -%}
    coalesce({{ is_null_word(trimmed(text)) }}, true)
{%- endmacro %}

{# Null for one of the variable null_words. #}
{% macro without_null_words(column) -%}
    case when not {{ is_null_word(column) }} then {{ column }} end
{%- endmacro %}

{# Whether a text is one of the variable null_words; null for null. #}
{% macro is_null_word(text) -%}
    {{ return(adapter.dispatch('is_null_word')(text)) }}
{%- endmacro %}

{% macro default__is_null_word(text) -%}
    lower({{ text }}) in ({{ null_word_literals() }})
{%- endmacro %}

{% macro duckdb__is_null_word(text) -%}
    {#- DuckDB would make a join of a long `in`, for all rows. -#}
    list_contains([{{ null_word_literals() }}], lower({{ text }}))
{%- endmacro %}

{% macro null_word_literals() -%}
    {%- for word in var('null_words') -%}
    '{{ escape_backslashes(word) }}'{{ ', ' if not loop.last }}
    {%- endfor -%}
{%- endmacro %}

{# Escape the backslashes of a text for an SQL literal. #}
{% macro escape_backslashes(text) -%}
    {{ return(adapter.dispatch('escape_backslashes')(text)) }}
{%- endmacro %}

{% macro default__escape_backslashes(text) -%}
    {{- return(text) -}}
{%- endmacro %}
