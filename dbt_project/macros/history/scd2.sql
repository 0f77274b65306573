{#
    The history of things (a slowly changing dimension of type 2) from a log of their states: one row per thing and state,
    with changed_on, valid_from and valid_to (days; valid_to is the first day on which it is not valid any more, null while
    it is) and is_current. Of several states of one day the last one counts; a state that equals the one before begins no
    version. The first version is valid from the beginning of the calendar, so that what happened before the thing was
    first heard of finds it.

    Made from the log and not by a dbt snapshot: a snapshot sees a state only if a run happens while it lasts, cannot be
    built again from raw, and needs a table format with merge (on Spark Delta, Iceberg or Hudi); this is plain SQL anywhere.

    `log`: relation; `key`: columns; `day`: its column with the day of a state; `order_by`: columns of which the highest
    mark the last state of a day; `attributes`: columns that make up the state.
#}
{% macro scd2(log, key, day, order_by, attributes) %}
    {%- set thing = key | join(', ') -%}
    select
        {{ thing }},
        {{ attributes | join(', ') }},
        changed_on,
        case
            when previous_version is null then cast('{{ var("calendar_from") }}' as date)
            else changed_on
        end as valid_from,
        lead(changed_on) over (partition by {{ thing }} order by changed_on) as valid_to,
        lead(changed_on) over (partition by {{ thing }} order by changed_on) is null as is_current
    from (
        select
            *,
            lag(changed_on) over (partition by {{ thing }} order by changed_on) as previous_version
        from (
            select
                {{ thing }},
                {{ attributes | join(', ') }},
                changed_on,
                lag(changed_on) over (partition by {{ thing }} order by changed_on) as previous_day,
                {%- for attribute in attributes %}
                lag({{ attribute }}) over (partition by {{ thing }} order by changed_on) as previous_{{ attribute }}
                {{- ',' if not loop.last }}
                {%- endfor %}
            from (
                select
                    {{ thing }},
                    {{ attributes | join(', ') }},
                    {{ day }} as changed_on,
                    row_number() over (
                        partition by {{ thing }}, {{ day }}
                        order by {% for column in order_by %}{{ column }} desc nulls last{{ ', ' if not loop.last }}{% endfor %}
                    ) as state_rank
                from {{ log }}
            ) as states
            where state_rank = 1
        ) as days
        where
            previous_day is null
            {%- for attribute in attributes %}
            or {{ attribute }} is distinct from previous_{{ attribute }}
            {%- endfor %}
    ) as versions
{% endmacro %}
