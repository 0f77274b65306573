with payment_types as (

    select
        payment_type_id,
        payment_type
    from {{ ref('taxi_payment_types') }}

)

select * from payment_types
