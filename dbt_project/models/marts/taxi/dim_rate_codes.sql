with rate_codes as (

    select
        rate_code_id,
        rate_code
    from {{ ref('taxi_rate_codes') }}

)

select * from rate_codes
