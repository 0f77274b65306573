{# The sources of a mart that hold the rows of an entity. #}
{% macro raw_tables_of(mart) %}
    {% set node = graph.nodes['model.' ~ project_name ~ '.' ~ mart.identifier] %}
    {% set sources = [] %}
    {% for unique_id in node.depends_on.nodes | sort if unique_id in graph.sources %}
        {% set source = graph.sources[unique_id] %}
        {% if source.name not in ('file_loads', 'rejected_lines') %}{% do sources.append(source) %}{% endif %}
    {% endfor %}
    {{ return(sources) }}
{% endmacro %}
