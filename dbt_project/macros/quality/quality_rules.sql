{#
    The quality rules of a validated model, from `config: meta:` in its YAML, which is the only place where they stand:
      key        columns that identify the thing; of valid rows with the same key only the last one stays
      order_by  columns, of which the highest values mark the last row
      rules      list of {name, expression, description}; the expression is SQL over the staging model's columns and the
                 references
    A row breaks a rule whose expression is false or null.
#}
{% macro quality_rules(model) %}
    {% if not execute %}
        {# While dbt parses, the YAML is not there yet. #}
        {{ return({'key': ['_row_id'], 'order_by': ['_row_id'], 'rules': []}) }}
    {% endif %}
    {% set meta = model.config.meta %}
    {% for part in ['key', 'order_by', 'rules'] if not meta.get(part) %}
        {{ exceptions.raise_compiler_error("the YAML of '" ~ model.name ~ "' has no config.meta." ~ part) }}
    {% endfor %}
    {{ return(meta) }}
{% endmacro %}

{#
    Changes whenever the rules or the staging model change: rows validated under another version are validated again.
    A macro that the staging model calls is not seen; after a change in one, build with --full-refresh.
#}
{% macro rules_version(meta, staging) %}
    {% set node = graph.nodes.get('model.' ~ project_name ~ '.' ~ staging.identifier) if execute and graph else none %}
    {{ return(local_md5(tojson(meta, sort_keys=true) ~ (node.checksum.checksum if node else ''))) }}
{% endmacro %}
