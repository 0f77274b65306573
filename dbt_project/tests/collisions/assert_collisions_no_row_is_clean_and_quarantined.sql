-- A failure means that a delivered row counts as good and as bad at once, which the accounting by file cannot see
-- when another row is missing in exchange.
select clean._row_id
from {{ ref('clean_collisions__crashes') }} as clean
inner join {{ ref('quarantine_collisions__crashes') }} as quarantine on clean._row_id = quarantine._row_id
