{# Select a query's columns with the types of the model's contract. #}
{% macro cast_to_contract(sql) %}
    select
        {%- for name, column in model.columns.items() %}
        cast({{ name }} as {{ contract_type(column.data_type) }}) as {{ name }}{{ ',' if not loop.last }}
        {%- endfor %}
    from (
        {{ sql }}
    ) as new_rows
{% endmacro %}

{# The engine's name for a type of a contract. #}
{% macro contract_type(data_type) %}
    {{- return(adapter.dispatch('contract_type')(data_type)) -}}
{% endmacro %}

{% macro default__contract_type(data_type) %}
    {{- return(data_type) -}}
{% endmacro %}

{% macro spark__contract_type(data_type) %}
    {{- return('double' if data_type == 'double precision' else data_type) -}}
{% endmacro %}
