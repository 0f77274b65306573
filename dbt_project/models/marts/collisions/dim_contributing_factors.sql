with factors as (

    select contributing_factor from {{ ref('curated_collisions__vehicles') }}
    union
    select 'Unknown' as contributing_factor

),

keyed as (

    select
        {{ surrogate_key(['contributing_factor']) }} as contributing_factor_key,
        contributing_factor
    from factors

)

select * from keyed
