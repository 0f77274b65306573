{#
    Domain and entity of a model named <layer>_<domain>__<entity>. Models that follow from the declaration of a domain find
    the models that they read by these names: a quarantine, and the two audits.
#}
{% macro domain_of(name) %}
    {{ return(name.split('__')[0].split('_', 1)[1]) }}
{% endmacro %}

{# The `config: meta:` of the staging model of an entity, by the name of any of its models. #}
{% macro staging_meta(name) %}
    {% set staging = 'stg_' ~ domain_of(name) ~ '__' ~ entity_of(name) %}
    {% set node = graph.nodes.get('model.' ~ project_name ~ '.' ~ staging) %}
    {{ return(node.config.meta if node else {}) }}
{% endmacro %}

{% macro entity_of(name) %}
    {{ return(name.split('__')[1]) }}
{% endmacro %}
