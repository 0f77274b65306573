with customers as (

    select
        {{ trimmed('customer_id') }} as customer_id,
        {{ normalize_whitespace('name') }} as customer_name,
        lower({{ trimmed('email') }}) as email,
        {{ normalize_whitespace('region') }} as region,
        {{ trimmed('updated_at') }} as updated_at,
        _source_file,
        _source_row,
        _row_id,
        _dlt_load_id
    from {{ source('raw_ecommerce', 'customers') }}

),

loads as (

    {{ load_days('raw_ecommerce', 'customers') }}

),

staging as (

    select
        customers.customer_id,

        customers.customer_name,
        customers.email,
        coalesce({{ is_email('customers.email') }}, false) as has_valid_email,
        customers.region,

        -- A row without a time of change counts from the load.
        case
            when customers.updated_at is null then loads.loaded_at
            else {{ try_timestamp('customers.updated_at') }}
        end as updated_at,

        customers._source_file,
        customers._source_row,
        customers._row_id,
        customers._dlt_load_id
    from customers
    left join loads on customers._dlt_load_id = loads._dlt_load_id

)

select * from staging
