-- A failure means that the health that is published is not all that was collected about the pipelines.
select
    entity,
    rows_read,
    rows_clean
from {{ ref('audit_health__row_counts') }}
where rows_read <> rows_clean
