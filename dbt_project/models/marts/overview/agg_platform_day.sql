with days as (

    select
        domain,
        day as load_day,
        rows_in,
        rows_published,
        rows_quarantined,
        {{ safe_divide('rows_quarantined', 'rows_in', 6) }} as quarantined_share,
        cast(newest_input_at as {{ dbt.type_timestamp() }}) as newest_input_at
    from {{ source('raw_ops', 'published_days') }}

)

select * from days
