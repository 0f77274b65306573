{# Key of the unknown member of a dimension whose key is a surrogate_key of so many columns. #}
{% macro unknown_key() -%}
    {{ surrogate_key(['cast(null as ' ~ dbt.type_string() ~ ')']) }}
{%- endmacro %}

{#
    A select of the unknown member of a dimension, to which facts refer that know no other: the values given, all else
    null. Columns and types are those of the model's contract, in its order.
#}
{% macro unknown_member(values) -%}
    select
        {%- for name, column in model.columns.items() %}
        {{ values.get(name, 'cast(null as ' ~ api.Column.translate_type(column.data_type or 'string') ~ ')') }} as {{ name }}
        {{- ',' if not loop.last }}
        {%- endfor %}
{%- endmacro %}
