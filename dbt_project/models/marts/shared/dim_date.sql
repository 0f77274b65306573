with days as (

    {{ all_days(var('calendar_from'), var('calendar_until')) }}

),

calendar as (

    select
        {{ date_key('date_day') }} as date_key,
        date_day,
        cast(extract(year from date_day) as integer) as calendar_year,
        cast(extract(quarter from date_day) as integer) as calendar_quarter,
        cast(extract(month from date_day) as integer) as calendar_month,
        cast(extract(day from date_day) as integer) as day_of_month,
        {{ iso_weekday('date_day') }} as iso_weekday,
        {{ iso_weekday('date_day') }} >= 6 as is_weekend,
        cast(date_trunc('week', date_day) as date) as week_start,
        {{ month_of('date_day') }} as month_start,
        cast(date_trunc('quarter', date_day) as date) as quarter_start
    from days

),

unknown_day as (

    select
        0 as date_key,
        cast(null as date) as date_day,
        cast(null as integer) as calendar_year,
        cast(null as integer) as calendar_quarter,
        cast(null as integer) as calendar_month,
        cast(null as integer) as day_of_month,
        cast(null as integer) as iso_weekday,
        cast(null as boolean) as is_weekend,
        cast(null as date) as week_start,
        cast(null as date) as month_start,
        cast(null as date) as quarter_start

),

dates as (

    select * from calendar
    union all
    select * from unknown_day

)

select * from dates
