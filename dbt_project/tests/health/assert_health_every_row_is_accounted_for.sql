-- A failure means that the published health marts do not hold all that was collected about the pipelines.
select
    entity,
    rows_read,
    rows_clean
from {{ ref('audit_health__row_counts') }}
where rows_read <> rows_clean
