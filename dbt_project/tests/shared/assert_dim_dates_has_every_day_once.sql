-- A failure means that the calendar has a gap or a wrong end, so that facts of some days find no date.
with calendar as (

    select
        min(date_day) as first_day,
        max(date_day) as last_day,
        count(distinct date_day) as known_days,
        count(*) as known_and_unknown_days
    from {{ ref('dim_dates') }}

)

select * from calendar
where
    first_day <> cast('{{ var("calendar_from") }}' as date)
    or last_day <> cast('{{ var("calendar_until") }}' as date)
    or cast({{ dbt.dateadd('day', 'known_days - 1', 'first_day') }} as date) <> last_day
    or known_and_unknown_days <> known_days + 1
