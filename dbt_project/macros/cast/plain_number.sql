{#
    A number without its unit and its group marks, and with a point as its decimal mark: 1.234,50 € is 1234.50. Null for a
    text whose marks are not where the column of stage_columns says that they are, so that 1.234 is not read as 1,234.
#}
{% macro plain_number(text, column) -%}
    {%- set unit = (column.unit or '') | replace("'", "''") -%}
    {%- set decimal_mark = column.decimal_mark or '.' -%}
    {%- set group_mark = column.group_mark or ('.' if decimal_mark == ',' else ',') -%}
    {%- set without_unit = trimmed(text) -%}
    {%- if unit -%}
        {#- First with a blank after it, which may follow a sign: -£ 3.50. -#}
        {%- set without_unit = trimmed("replace(replace(" ~ text ~ ", '" ~ unit ~ " ', ''), '" ~ unit ~ "', '')") -%}
    {%- endif -%}
    {%- set fraction = '([' ~ decimal_mark ~ '][0-9]+)?' -%}
    {%- set form = '[+-]?([0-9]+|[0-9]{1,3}([' ~ group_mark ~ '][0-9]{3})+)' ~ fraction -%}
    {%- if column.decimal_mark or column.group_mark -%}
        case
            when {{ fits(without_unit, form) }}
                then replace(replace({{ without_unit }}, '{{ group_mark }}', ''), '{{ decimal_mark }}', '.')
        end
    {%- else -%}
        {{ without_unit }}
    {%- endif -%}
{%- endmacro %}

{# Whether a regular expression fits a whole text. #}
{% macro fits(text, form) -%}
    {{ return(adapter.dispatch('fits')(text, form)) }}
{%- endmacro %}

{% macro duckdb__fits(text, form) -%}
    regexp_full_match({{ text }}, '{{ form }}')
{%- endmacro %}
