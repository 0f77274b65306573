{#
    The quality rules of a clean model, from `config: meta:` in its YAML, which is the only place where they stand:
      key        columns that identify the thing; of valid rows with the same key only the last one stays
      latest_by  columns, of which the highest values mark the last row
      rules      list of {name, expression, description}; the expression is SQL over the typed model's columns
    A row breaks a rule whose expression is false or null.
#}
{% macro rules_of(clean_model) %}
    {% if not execute %}
        {# While dbt parses, the graph is not there yet. #}
        {{ return({'key': ['_row_id'], 'latest_by': ['_row_id'], 'rules': []}) }}
    {% endif %}
    {% set node = graph.nodes.get('model.' ~ project_name ~ '.' ~ clean_model) %}
    {% if not node %}
        {{ exceptions.raise_compiler_error("rules_of: there is no model '" ~ clean_model ~ "'") }}
    {% endif %}
    {% set meta = node.config.meta %}
    {% for part in ['key', 'latest_by', 'rules'] if not meta.get(part) %}
        {{ exceptions.raise_compiler_error("rules_of: the YAML of '" ~ clean_model ~ "' has no config.meta." ~ part) }}
    {% endfor %}
    {{ return(meta) }}
{% endmacro %}
