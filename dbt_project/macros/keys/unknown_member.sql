{# Key of the unknown member of a dimension whose key is a surrogate_key. #}
{% macro unknown_key() -%}
    {{ surrogate_key(['cast(null as ' ~ dbt.type_string() ~ ')']) }}
{%- endmacro %}

{#
    Select the unknown member of a dimension, to which facts without a known member refer: the given values, and null for
    all other columns of the model's contract, with its types and in its order.
#}
{% macro unknown_member(values) -%}
    select
        {%- for name, column in model.columns.items() %}
        {{ values.get(name, 'cast(null as ' ~ api.Column.translate_type(column.data_type or 'string') ~ ')') }} as {{ name }}
        {{- ',' if not loop.last }}
        {%- endfor %}
{%- endmacro %}
