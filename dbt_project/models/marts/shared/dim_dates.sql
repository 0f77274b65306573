{{ config(pre_hook="{{ single_writer() }}") }}

{% set first_day = "cast('" ~ var('calendar_from') ~ "' as date)" %}
{% set last_day = "cast('" ~ var('calendar_until') ~ "' as date)" %}

with days as (

    select cast(date_day as date) as date_day
    from ({{ dbt.date_spine('day', first_day, dbt.dateadd('day', 1, last_day)) }}) as spine

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
        {{ month_start('date_day') }} as month_start,
        cast(date_trunc('quarter', date_day) as date) as quarter_start
    from days

),

dates as (

    select * from calendar
    union all
    {{ unknown_member({'date_key': '0'}) }}

)

select * from dates
