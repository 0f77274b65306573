-- A failure means that the health that is published is not all that was collected about the pipelines.
select
    entity,
    rows_read,
    rows_clean
from {{ ref('agg_health_rows_by_file') }}
where rows_read <> rows_clean
