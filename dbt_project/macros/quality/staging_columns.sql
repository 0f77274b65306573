{#
    Return the columns of a staging model. The table of an incremental run must have them too, and the `added` ones. A unit
    test of an incremental run overrides this macro, because its inputs have no columns that dbt could look up.
#}
{% macro staging_columns(staging, added) %}
    {# A unit test's input has no schema. #}
    {% if not execute or not staging.schema %}{{ return([]) }}{% endif %}
    {% set columns = adapter.get_columns_in_relation(staging) | map(attribute='name') | list %}
    {% if is_incremental() %}
        {% set existing = adapter.get_columns_in_relation(this) | map(attribute='name') | list %}
        {% if existing | sort != (columns + added) | sort %}
            {{ exceptions.raise_compiler_error(
                this ~ ' does not have the columns of its staging model and rules; build it with --full-refresh'
            ) }}
        {% endif %}
    {% endif %}
    {{ return(columns) }}
{% endmacro %}
