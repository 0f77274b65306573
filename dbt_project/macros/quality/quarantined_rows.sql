{# Quarantined rows as delivered, and the names of all rules that they break. #}
{% macro quarantined_rows(validated, raw) %}
    select
        raw.*,
        validated._failed_rules
    from {{ raw }} as raw
    inner join {{ validated }} as validated on raw._row_id = validated._row_id
    where validated.row_status = 'quarantined'
{% endmacro %}
