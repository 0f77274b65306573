-- A failure means that the overview of the domains' days is not all that was collected about them.
select
    entity,
    rows_read,
    rows_clean
from {{ ref('audit_overview__row_counts') }}
where rows_read <> rows_clean
