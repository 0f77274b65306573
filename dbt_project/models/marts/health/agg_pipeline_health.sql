{% set last = 10 %}

with runs as (

    select * from {{ ref('fct_pipeline_runs') }}

),

totals as (

    select
        pipeline,
        count(*) as executions,
        count(*) filter (where state = 'success') as successes,
        count(*) filter (where state = 'failed') as failures,
        min(started_at) as first_run_at,
        max(started_at) filter (where state = 'success') as last_success_at
    from runs
    group by pipeline

),

begun as (

    select
        *,
        row_number() over (partition by pipeline order by started_at desc, run_id desc) as place
    from runs
    where started_at is not null

),

ended as (

    select
        *,
        row_number() over (partition by pipeline order by started_at desc, run_id desc) as place
    from runs
    where state in ('success', 'failed') and started_at is not null

),

rates as (

    select
        pipeline,
        count(*) as runs_counted,
        {{ safe_divide("count(*) filter (where state = 'success')", 'count(*)', 4) }} as success_rate_last_10
    from ended
    where place <= {{ last }}
    group by pipeline

),

succeeded as (

    select
        *,
        row_number() over (partition by pipeline order by started_at desc, run_id desc) as place
    from runs
    -- A run without new input takes no time to speak of.
    where state = 'success' and seconds is not null and outcome is distinct from 'skipped'

),

durations as (

    select
        pipeline,
        avg(seconds) as average_seconds,
        percentile_cont(0.5) within group (order by seconds) as median_seconds,
        percentile_cont(0.95) within group (order by seconds) as p95_seconds,
        avg(seconds) filter (where place <= {{ last }})
        / nullif(avg(seconds) filter (where place > {{ last }} and place <= {{ 2 * last }}), 0) - 1 as duration_trend,
        percentile_cont(0.95) within group (order by seconds) filter (where place <= {{ last }})
        / nullif(
            percentile_cont(0.95) within group (order by seconds)
            filter (where place > {{ last }} and place <= {{ 2 * last }}), 0
        ) - 1 as p95_trend
    from succeeded
    group by pipeline

),

publications as (

    select
        *,
        -- Not the newest version: after a rollback, readers see an earlier one.
        row_number() over (
            partition by pipeline order by coalesce(collected_at, published_at) desc, published_at desc
        ) as place
    from {{ source('raw_ops', 'publications') }}

),

days as (

    select
        *,
        max(day) over (partition by pipeline) as last_day
    from {{ source('raw_ops', 'costs') }}

),

costs as (

    select
        pipeline,
        sum(cost) filter (where day = last_day) as last_day_cost,
        sum(cost) as total_cost
    from days
    group by pipeline

),

health as (

    select
        pipelines.pipeline,
        pipelines.is_paused,

        coalesce(totals.executions, 0) as executions,
        coalesce(totals.successes, 0) as successes,
        coalesce(totals.failures, 0) as failures,
        coalesce(rates.runs_counted, 0) as runs_counted,
        rates.success_rate_last_10,
        begun.run_id as last_run_id,
        begun.state as last_state,

        begun.seconds as last_seconds,
        {{ rounded('durations.average_seconds', 3) }} as average_seconds,
        {{ rounded('durations.median_seconds', 3) }} as median_seconds,
        {{ rounded('durations.p95_seconds', 3) }} as p95_seconds,
        {{ rounded('durations.duration_trend', 6) }} as duration_trend,
        {{ rounded('durations.p95_trend', 6) }} as p95_trend,

        begun.rows_in,
        begun.rows_out,
        publications.rows_read,
        publications.rows_quarantined,
        {{ safe_divide('publications.rows_quarantined', 'publications.rows_read', 6) }} as quarantined_share,
        cast(costs.last_day_cost as decimal(18, 6)) as last_day_cost,
        cast(costs.total_cost as decimal(18, 6)) as total_cost,

        totals.first_run_at,
        begun.started_at as last_run_at,
        totals.last_success_at,
        cast(publications.published_at as {{ dbt.type_timestamp() }}) as published_at,
        cast(publications.newest_input_at as {{ dbt.type_timestamp() }}) as newest_input_at
    from {{ ref('dim_pipelines') }} as pipelines
    left join totals on pipelines.pipeline = totals.pipeline
    left join rates on pipelines.pipeline = rates.pipeline
    left join begun on pipelines.pipeline = begun.pipeline and begun.place = 1
    left join durations on pipelines.pipeline = durations.pipeline
    left join publications on pipelines.pipeline = publications.pipeline and publications.place = 1
    left join costs on pipelines.pipeline = costs.pipeline

)

select * from health
