with locations as (

    select
        borough,
        zip_code,
        on_street_name,
        cross_street_name,
        off_street_name
    from {{ ref('curated_collisions__crashes') }}
    union
    -- The unknown location, also of a crash without any of the five columns.
    select
        cast(null as {{ dbt.type_string() }}) as borough,
        cast(null as {{ dbt.type_string() }}) as zip_code,
        cast(null as {{ dbt.type_string() }}) as on_street_name,
        cast(null as {{ dbt.type_string() }}) as cross_street_name,
        cast(null as {{ dbt.type_string() }}) as off_street_name

),

keyed as (

    select
        {{ surrogate_key(['borough', 'zip_code', 'on_street_name', 'cross_street_name', 'off_street_name']) }}
            as location_key,
        coalesce(borough, 'UNKNOWN') as borough,
        zip_code,
        on_street_name,
        cross_street_name,
        off_street_name
    from locations

)

select * from keyed
