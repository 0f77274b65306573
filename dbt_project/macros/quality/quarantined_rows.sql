{# The model quarantine_<domain>__<entity>: quarantined rows as delivered, and the names of all rules that they fail. #}
{% macro quarantined_rows() %}
    {%- set domain, entity = domain_of(model.name), entity_of(model.name) -%}
    select
        raw.*,
        validated._failed_rules
    from {{ source('raw_' ~ domain, entity) }} as raw
    inner join {{ ref('validated_' ~ domain ~ '__' ~ entity) }} as validated on raw._row_id = validated._row_id
    where validated.row_status = 'quarantined'
{% endmacro %}
