-- Quarantine by day and domain
-- The share of the rows read on each day that is in quarantine, the worst days first.
select load_day, domain, rows_in, rows_quarantined, quarantined_share
from overview.agg_platform_day
order by quarantined_share desc nulls last, load_day desc, domain
limit 100
