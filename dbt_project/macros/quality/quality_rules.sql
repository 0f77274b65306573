{#
    Return the quality rules of a validated model, which stand only in `config: meta:` of its staging model's YAML:
      key         columns that identify the thing; of valid rows with the same key only the last one stays valid
      order_by    columns whose highest values mark the last row
      rules       list of {name, expression, reads, requires, description}; the expression is SQL over the staging model's
                  columns and the reference flags; for `reads` and `requires`, each a column, see rule_condition
      references  {flag: {column, model, key}}; the flag says whether the model has a row whose key is the column's value
    A row fails a rule whose expression is false or null.
#}
{% macro quality_rules(model) %}
    {% if not execute %}
        {# While dbt parses, the YAML is not read yet. #}
        {{ return({'key': ['_row_id'], 'order_by': ['_row_id'], 'rules': []}) }}
    {% endif %}
    {% set meta = staging_meta(model.name) %}
    {% for part in ['key', 'order_by', 'rules'] if not meta.get(part) %}
        {{ exceptions.raise_compiler_error(
            "the YAML of the staging model of '" ~ model.name ~ "' lacks config.meta." ~ part
        ) }}
    {% endfor %}
    {{ return({
        'key': meta.key, 'order_by': meta.order_by, 'rules': meta.rules, 'references': meta.get('references', {})
    }) }}
{% endmacro %}
