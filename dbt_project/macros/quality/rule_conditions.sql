{#
    The SQL that is true for a row that passes a rule. A row fails a rule with `reads` if the value of this column is there
    but cannot be read, whatever the expression says of it, and a rule with `requires` if no value was delivered.
#}
{% macro rule_condition(rule) -%}
    {%- set conditions = [] -%}
    {%- if rule.expression -%}{%- do conditions.append('(' ~ rule.expression ~ ')') -%}{%- endif -%}
    {%- if rule.reads -%}{%- do conditions.append('not ' ~ is_unreadable(rule.reads)) -%}{%- endif -%}
    {%- if rule.requires -%}
        {%- do conditions.append('(' ~ rule.requires ~ ' is not null or ' ~ is_unreadable(rule.requires) ~ ')') -%}
    {%- endif -%}
    {{ conditions | join(' and ') }}
{%- endmacro %}

{# Whether a column's value was delivered and cannot be read (see stage_columns). #}
{% macro is_unreadable(column) -%}
    position(',{{ column }},' in coalesce(_unreadable, '')) > 0
{%- endmacro %}

{# The names <column>_is_readable of the unreadable columns that no rule reads, each after a comma. #}
{% macro unreadable_rules(rules) -%}
    {%- set left = namespace(columns='_unreadable') -%}
    {%- for rule in rules if rule.reads -%}
        {%- set left.columns = "replace(" ~ left.columns ~ ", '," ~ rule.reads ~ ",', '')" -%}
    {%- endfor -%}
    {%- set names = "replace(" ~ left.columns ~ ", ',,', '_is_readable,')" -%}
    case
        when coalesce(_unreadable, '') = '' or {{ left.columns }} = '' then ''
        else substr({{ names }}, 1, length({{ names }}) - 1) || '_is_readable'
    end
{%- endmacro %}
