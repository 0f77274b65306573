{# Text without white space around it and with single spaces in it; text of white space alone is null. #}
{% macro normalize_whitespace(text) -%}
    {{ return(adapter.dispatch('normalize_whitespace')(text)) }}
{%- endmacro %}

{% macro duckdb__normalize_whitespace(text) -%}
    nullif(trim(regexp_replace({{ text }}, '\s+', ' ', 'g')), '')
{%- endmacro %}

{% macro postgres__normalize_whitespace(text) -%}
    (
        {#- `offset 0` keeps the planner from putting the expression in for each mention of its name. #}
        select nullif({{ strip_spaces("case when line like '%  %' then regexp_replace(line, ' +', ' ', 'g') else line end") }}, '')
        from (select translate({{ text }}, E'\t\n\f\r', '    ') as line offset 0) as one_line
    )
{%- endmacro %}

{% macro spark__normalize_whitespace(text) -%}
    nullif({{ strip_spaces("regexp_replace(" ~ text ~ ", r'[ \\t\\n\\f\\r]+', ' ')") }}, '')
{%- endmacro %}
