{% set columns = {
    'customer_id': {'type': 'code'},
    'customer_name': {'type': 'text', 'source': 'name', 'keeps_null_words': true},
    'email': {'type': 'word', 'case': 'lower'},
    'region': {'type': 'text'},
    'updated_at': {'type': 'timestamp'},
} %}

with customers as (

    {{ stage_columns(source('raw_ecommerce', 'customers'), columns) }}

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
            when customers.updated_at is null and customers._unreadable not like '%,updated_at,%' then loads.loaded_at
            else customers.updated_at
        end as updated_at,

        customers._unreadable,
        customers._source_file,
        customers._source_row,
        customers._row_id,
        customers._dlt_load_id
    from customers
    left join loads on customers._dlt_load_id = loads._dlt_load_id

)

select * from staging
