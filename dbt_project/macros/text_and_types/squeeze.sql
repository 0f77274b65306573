{# Text without white space around it and with single spaces in it; text of white space alone is null. #}
{% macro squeeze(text) -%}
    {{ return(adapter.dispatch('squeeze')(text)) }}
{%- endmacro %}

{% macro duckdb__squeeze(text) -%}
    nullif(trim(regexp_replace({{ text }}, '\s+', ' ', 'g')), '')
{%- endmacro %}

{% macro postgres__squeeze(text) -%}
    (
        {#- `offset 0` keeps the planner from putting the expression in for each mention of its name. #}
        select nullif({{ without_blanks("case when line like '%  %' then regexp_replace(line, ' +', ' ', 'g') else line end") }}, '')
        from (select translate({{ text }}, E'\t\n\f\r', '    ') as line offset 0) as one_line
    )
{%- endmacro %}

{% macro spark__squeeze(text) -%}
    nullif({{ without_blanks("regexp_replace(" ~ text ~ ", r'[ \\t\\n\\f\\r]+', ' ')") }}, '')
{%- endmacro %}
