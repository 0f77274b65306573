-- Slow models
-- The dbt models that take the most time, over all pipelines.
select pipeline, model_name, executions, average_seconds, p95_seconds, total_seconds
from health.agg_slowest_models
order by total_seconds desc
limit 20
