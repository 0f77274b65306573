{#
    Return the quality rules of a validated model, which stand only in `config: meta:` of its YAML:
      key       columns that identify the thing; of valid rows with the same key only the last one stays valid
      order_by  columns whose highest values mark the last row
      rules     list of {name, expression, reads, requires, description}; the expression is SQL over the staging model's
                columns and the reference flags; for `reads` and `requires`, each a column, see rule_condition
    A row fails a rule whose expression is false or null.
#}
{% macro quality_rules(model) %}
    {% if not execute %}
        {# While dbt parses, the YAML is not read yet. #}
        {{ return({'key': ['_row_id'], 'order_by': ['_row_id'], 'rules': []}) }}
    {% endif %}
    {% set meta = model.config.meta %}
    {% for part in ['key', 'order_by', 'rules'] if not meta.get(part) %}
        {{ exceptions.raise_compiler_error("the YAML of model '" ~ model.name ~ "' lacks config.meta." ~ part) }}
    {% endfor %}
    {{ return(meta) }}
{% endmacro %}
