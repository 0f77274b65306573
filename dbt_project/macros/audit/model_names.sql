{#
    Domain and entity of a model named <layer>_<domain>__<entity>. Models that follow from the declaration of a domain find
    the models that they read by these names: a quarantine, and the two audits.
#}
{% macro domain_of(name) %}
    {{ return(name.split('__')[0].split('_', 1)[1]) }}
{% endmacro %}

{% macro entity_of(name) %}
    {{ return(name.split('__')[1]) }}
{% endmacro %}
