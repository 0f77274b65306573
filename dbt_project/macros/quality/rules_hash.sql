{#
    Hash the rules, the words for null and the staging model's SQL: rows validated under another hash are validated again. A change in a macro
    that the staging model calls is not noticed; after one, build with --full-refresh.
#}
{% macro rules_hash(rules, staging) %}
    {% set node = graph.nodes.get('model.' ~ project_name ~ '.' ~ staging.identifier) if execute and graph else none %}
    {{ return(local_md5(tojson([rules, var('null_words')], sort_keys=true) ~ (node.checksum.checksum if node else ''))) }}
{% endmacro %}
