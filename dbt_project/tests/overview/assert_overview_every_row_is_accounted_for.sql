-- A failure means that the published overview does not hold all that was collected about the domains' days.
select
    entity,
    rows_read,
    rows_clean
from {{ ref('audit_overview__row_counts') }}
where rows_read <> rows_clean
