{{ config(
    materialized='incremental',
    incremental_strategy='delete+insert',
    unique_key=['invocation_id', 'unique_id']
) }}

with results as (

    select * from {{ source('raw_ops', 'dbt_results') }}
    {% if is_incremental() %}
        where _dlt_load_id > (select coalesce(max(_dlt_load_id), '') from {{ this }})
    {% endif %}

),

model_runs as (

    select
        invocation_id,
        unique_id,
        pipeline,
        run_id,
        {{ dbt.split_part('unique_id', "'.'", 3) }} as model_name,
        {{ dbt.split_part('unique_id', "'.'", 1) }} as resource_type,
        case status when 'error' then 'failed' else status end as state,
        seconds,
        rows_affected,
        message,
        cast(started_at as {{ dbt.type_timestamp() }}) as started_at,
        cast(ended_at as {{ dbt.type_timestamp() }}) as ended_at,
        _dlt_load_id
    from results
    where unique_id not like 'test.%'

)

select * from model_runs
