{# ISO 8601 (see iso_timestamp_pattern). An offset is subtracted or ignored. #}
{% macro postgres_iso_timestamp(text, takes_offset) -%}
    (
        select
            case
                {#- The layout of nearly all texts; a match with groups takes fifty times as long. #}
                when
                    translate(written, '123456789', '000000000') in ('0000-00-00', '0000-00-00 00:00:00', '0000-00-00T00:00:00')
                    and substr(written, 1, 4) > '0000' and substr(written, 6, 2) between '01' and '12'
                    and substr(written, 9, 2) between '01' and case
                        when substr(written, 6, 2) = '02' then '28'
                        when substr(written, 6, 2) in ('04', '06', '09', '11') then '30'
                        else '31'
                    end
                    and substr(written, 12, 2) < '24' and substr(written, 15, 2) < '60' and substr(written, 18, 2) < '60'
                    then cast(written as timestamp)
                else (
                    select
                        {{ postgres_timestamp_of(
                            'cast(parts[1] as integer)', 'cast(parts[3] as integer)', 'cast(parts[4] as integer)',
                            "cast(coalesce(parts[5], '0') as integer)", "cast(coalesce(parts[6], '0') as integer)",
                            "cast(coalesce(parts[7], '0') || '.' || coalesce(parts[8], '') || '0' as double precision)",
                        ) }}
                        {%- if takes_offset %}
                        - coalesce(cast(parts[9] || '1' as integer), 0) * make_interval(
                            hours => cast(coalesce(parts[10], '0') as integer),
                            mins => cast(coalesce(parts[11], '0') as integer),
                            secs => cast(coalesce(parts[12], '0') as integer)
                        )
                        {%- endif %}
                    from (
                        select regexp_match(written, '{{ iso_timestamp_pattern() }}$') as parts offset 0
                    ) as matches
                )
            end
        from (select {{ text }} as written offset 0) as texts
    )
{%- endmacro %}

{# By a layout of %Y, of one to four digits, and %m %d %H %M %S, of one or two, each separated by one character. #}
{% macro postgres_timestamp_by(text, layout) -%}
    {%- set codes = modules.re.findall('%[YmdHMS]', layout) -%}
    {%- set between = modules.re.sub('%[YmdHMS]', '', layout) -%}
    {%- set written_as = namespace(forms=[layout]) -%}
    {%- for code in codes -%}
        {%- set forms = [] -%}
        {%- for form in written_as.forms -%}
            {%- for digits in (['0000', '000', '00', '0'] if code == '%Y' else ['00', '0']) -%}
                {%- do forms.append(form | replace(code, digits)) -%}
            {%- endfor -%}
        {%- endfor -%}
        {%- set written_as.forms = forms -%}
    {%- endfor -%}
    {%- set parts = {} -%}
    {%- for code in codes -%}
        {%- do parts.update({code: "cast(split_part(parts, '-', " ~ loop.index ~ ') as integer)'}) -%}
    {%- endfor -%}
    (
        select
            case
                when translate(written, '123456789', '000000000') in ('{{ written_as.forms | join("', '") }}') then (
                    select
                        {{ postgres_timestamp_of(
                            parts.get('%Y', '1900'), parts.get('%m', '1'), parts.get('%d', '1'),
                            parts.get('%H', '0'), parts.get('%M', '0'), parts.get('%S', '0'), midnights=1,
                        ) }}
                    from (select translate(written, '{{ between }}', '{{ '-' * (between | length) }}') as parts offset 0) as split
                )
            end
        from (select btrim({{ text }}, E' \t\n\v\f\r') as written offset 0) as texts
    )
{%- endmacro %}

{# The timestamp of year (0 is 1 BC), month, day, hour, minute and second; null where it does not exist. #}
{% macro postgres_timestamp_of(year, month, day, hour, minute, second, midnights=2) -%}
    (
        select
            case
                when
                    years between -4711 and 294246 and months between 1 and 12
                    and days between 1 and case
                        when months in (4, 6, 9, 11) then 30
                        when months <> 2 then 31
                        when years % 4 = 0 and (years % 100 <> 0 or years % 400 = 0) then 29
                        else 28
                    end
                    and (
                        hours < 24 and minutes < 60 and seconds < 60
                        {%- if midnights == 2 %} or hours = 24 and minutes = 0 and seconds = 0{% endif %}
                    )
                    then make_timestamp(case when years > 0 then years else years - 1 end, months, days, hours, minutes, seconds)
            end
        from (
            select
                {{ year }} as years, {{ month }} as months, {{ day }} as days,
                {{ hour }} as hours, {{ minute }} as minutes, {{ second }} as seconds
            offset 0
        ) as clock
    )
{%- endmacro %}
