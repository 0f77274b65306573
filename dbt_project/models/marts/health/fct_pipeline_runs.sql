with airflow_runs as (

    select
        pipeline,
        run_id,
        run_type,
        state,
        cast(queued_at as {{ dbt.type_timestamp() }}) as queued_at,
        cast(started_at as {{ dbt.type_timestamp() }}) as started_at,
        cast(ended_at as {{ dbt.type_timestamp() }}) as ended_at
    from {{ source('raw_ops', 'airflow_runs') }}

),

recorded as (

    select
        domain as pipeline,
        run_id,
        status,
        rows_in,
        rows_out,
        rows_failed,
        error,
        cast(started_at as {{ dbt.type_timestamp() }}) as started_at,
        cast(ended_at as {{ dbt.type_timestamp() }}) as ended_at
    from {{ source('raw_ops', 'runs') }}

),

joined as (

    select
        coalesce(airflow_runs.pipeline, recorded.pipeline) as pipeline,
        coalesce(airflow_runs.run_id, recorded.run_id) as run_id,
        coalesce(airflow_runs.run_type, {{ dbt.split_part('recorded.run_id', "'__'", 1) }}) as run_type,
        coalesce(
            airflow_runs.state, case when recorded.status = 'failed' then 'failed' else 'success' end
        ) as state,
        recorded.status as outcome,
        recorded.rows_in,
        recorded.rows_out,
        recorded.rows_failed,
        recorded.error,
        airflow_runs.queued_at,
        -- Airflow's times where they exist: one clock for all tasks and runs.
        case when airflow_runs.run_id is null then recorded.started_at else airflow_runs.started_at end as started_at,
        case when airflow_runs.run_id is null then recorded.ended_at else airflow_runs.ended_at end as ended_at
    from airflow_runs
    full outer join recorded
        on airflow_runs.pipeline = recorded.pipeline and airflow_runs.run_id = recorded.run_id

),

pipeline_runs as (

    select
        pipeline,
        run_id,
        run_type,
        state,
        outcome,
        {{ seconds_between('started_at', 'ended_at') }} as seconds,
        rows_in,
        rows_out,
        rows_failed,
        error,
        queued_at,
        started_at,
        ended_at
    from joined

)

select * from pipeline_runs
