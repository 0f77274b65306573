{# Whether a text matches a regular expression, which has anchors where it needs them, and no backslash. #}
{% macro matches(text, pattern) -%}
    {{ return(adapter.dispatch('matches')(text, pattern)) }}
{%- endmacro %}

{% macro duckdb__matches(text, pattern) -%}
    regexp_matches({{ text }}, '{{ dbt.escape_single_quotes(pattern) }}')
{%- endmacro %}

{# The group of the regular expression where a text matches it, else the text. #}
{% macro keep_group(text, pattern) -%}
    regexp_replace({{ text }}, '{{ dbt.escape_single_quotes(pattern) }}', '{{ adapter.dispatch('group_reference')() }}')
{%- endmacro %}

{% macro default__group_reference() -%}
    \1
{%- endmacro %}
