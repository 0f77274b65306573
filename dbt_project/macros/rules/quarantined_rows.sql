{# Quarantined rows as delivered, and the names of all rules that they break. #}
{% macro quarantined_rows(judged, raw) %}
    select
        raw.*,
        judged.broken_rules
    from {{ raw }} as raw
    inner join {{ judged }} as judged on raw._row_id = judged._row_id
    where judged.fate = 'quarantined'
{% endmacro %}
