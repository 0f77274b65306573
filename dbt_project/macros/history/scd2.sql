{#
    Query the versions of a slowly changing dimension (type 2) from a log of states: one row per key and version, with
    changed_on, valid_from and valid_to (days; valid_to is the first day after the version, null for the current one) and
    is_current. The last state of a day counts, and a state that equals the one before starts no version. The first version
    is valid from the start of the calendar, so that facts dated before the first state find it.

    Not a dbt snapshot: a snapshot misses a state that no run saw, cannot be rebuilt from raw, and needs a table format with
    merge (on Spark: Delta, Iceberg or Hudi).

    `log`: relation; `key`: columns; `day`: column with the day of a state; `order_by`: columns whose highest values mark the
    last state of a day; `attributes`: columns that make up the state.
#}
{% macro scd2(log, key, day, order_by, attributes) %}
    {%- set key = key | join(', ') -%}
    select
        {{ key }},
        {{ attributes | join(', ') }},
        changed_on,
        case
            when previous_version is null then cast('{{ var("calendar_from") }}' as date)
            else changed_on
        end as valid_from,
        lead(changed_on) over (partition by {{ key }} order by changed_on) as valid_to,
        lead(changed_on) over (partition by {{ key }} order by changed_on) is null as is_current
    from (
        select
            *,
            lag(changed_on) over (partition by {{ key }} order by changed_on) as previous_version
        from (
            select
                {{ key }},
                {{ attributes | join(', ') }},
                changed_on,
                lag(changed_on) over (partition by {{ key }} order by changed_on) as previous_day,
                {%- for attribute in attributes %}
                lag({{ attribute }}) over (partition by {{ key }} order by changed_on) as previous_{{ attribute }}
                {{- ',' if not loop.last }}
                {%- endfor %}
            from (
                select
                    {{ key }},
                    {{ attributes | join(', ') }},
                    {{ day }} as changed_on,
                    row_number() over (
                        partition by {{ key }}, {{ day }}
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
