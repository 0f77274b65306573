{#
    Remove invisible characters (see visible) and the white space around a text, and replace other white space by single
    spaces; null for a text of white space only.
#}
{% macro normalize_whitespace(text) -%}
    {{ return(adapter.dispatch('normalize_whitespace')(visible(text, joins=true))) }}
{%- endmacro %}

{% macro duckdb__normalize_whitespace(text) -%}
    nullif(trim(regexp_replace({{ text }}, '\s+', ' ', 'g')), '')
{%- endmacro %}
