with known as (

    select pipeline from {{ ref('fct_pipeline_runs') }}
    union
    select pipeline from {{ source('raw_ops', 'airflow_pipelines') }}
    union
    select pipeline from {{ source('raw_ops', 'publications') }}

),

pipelines as (

    select
        known.pipeline,
        airflow_pipelines.description,
        airflow_pipelines.schedule,
        coalesce(airflow_pipelines.is_paused, false) as is_paused,
        airflow_pipelines.tags
    from known
    left join {{ source('raw_ops', 'airflow_pipelines') }} as airflow_pipelines
        on known.pipeline = airflow_pipelines.pipeline

)

select * from pipelines
