with loads as (

    select
        pipeline,
        load_id,
        status = 0 as is_complete,
        files,
        rows_read,
        rows_loaded,
        rows_rejected,
        bytes,
        cast(loaded_at as {{ dbt.type_timestamp() }}) as loaded_at
    from {{ source('raw_ops', 'loads') }}

)

select * from loads
