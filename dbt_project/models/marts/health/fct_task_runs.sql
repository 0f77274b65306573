{{ config(
    materialized='incremental',
    incremental_strategy='delete+insert',
    unique_key=['pipeline', 'run_id', 'task', 'map_index']
) }}

with tasks as (

    select
        pipeline,
        run_id,
        task,
        cast(map_index as integer) as map_index,
        coalesce(state, 'none') as state,
        cast(tries as integer) as tries,
        operator,
        pool,
        cast(queued_at as {{ dbt.type_timestamp() }}) as queued_at,
        cast(started_at as {{ dbt.type_timestamp() }}) as started_at,
        cast(ended_at as {{ dbt.type_timestamp() }}) as ended_at,
        _dlt_load_id
    from {{ source('raw_ops', 'airflow_tasks') }}
    {% if is_incremental() %}
        where _dlt_load_id > (select coalesce(max(_dlt_load_id), '') from {{ this }})
    {% endif %}

),

task_runs as (

    select
        pipeline,
        run_id,
        task,
        map_index,
        state,
        tries,
        operator,
        pool,
        {{ seconds_between('queued_at', 'started_at') }} as seconds_queued,
        {{ seconds_between('started_at', 'ended_at') }} as seconds,
        queued_at,
        started_at,
        ended_at,
        _dlt_load_id
    from tasks

)

select * from task_runs
