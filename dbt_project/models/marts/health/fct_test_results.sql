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

test_results as (

    select
        invocation_id,
        unique_id,
        pipeline,
        run_id,
        {{ dbt.split_part('unique_id', "'.'", 3) }} as test,
        tested_model,
        case status
            when 'pass' then 'success'
            when 'warn' then 'partial'
            when 'skipped' then 'skipped'
            else 'failed'
        end as state,
        failures,
        seconds,
        message,
        cast(coalesce(ended_at, started_at) as {{ dbt.type_timestamp() }}) as tested_at,
        _dlt_load_id
    from results
    where unique_id like 'test.%'

)

select * from test_results
