with model_runs as (

    select
        *,
        row_number() over (partition by pipeline, model_name order by started_at desc, invocation_id desc) as place
    from {{ ref('fct_model_runs') }}
    where state = 'success'

),

models as (

    select
        pipeline,
        model_name,
        count(*) as executions,
        avg(seconds) as average_seconds,
        percentile_cont(0.95) within group (order by seconds) as p95_seconds,
        max(seconds) as longest_seconds,
        sum(seconds) as total_seconds,
        max(seconds) filter (where place = 1) as last_seconds
    from model_runs
    group by pipeline, model_name

)

select * from models
