{#
    ISO 8601 (see iso_timestamp_pattern). An offset is subtracted or ignored. A
    transform() of an array of one value gives the value a name.
#}
{% macro spark_iso_timestamp(text, takes_offset) -%}
    {%- set form = iso_timestamp_pattern() ~ '\\z' -%}
    case
        {#- The layout of nearly all texts. The cast returns null for a day or an hour that does not exist. #}
        when translate({{ text }}, '123456789', '000000000') in ('0000-00-00', '0000-00-00 00:00:00', '0000-00-00T00:00:00')
            and substr({{ text }}, 18, 2) < '60' and substr({{ text }}, 12, 2) < '24'
            then try_cast({{ text }} as timestamp)
        when {{ text }} rlike r'{{ form }}' then transform(
            array(split(regexp_replace({{ text }}, r'{{ form }}', '$1|$3|$4|$5|$6|$7|$8|$9$10|$9$11|$9$12'), '[|]')),
            parts -> {{ spark_timestamp_of(
                'parts[0]', 'parts[1]', 'parts[2]', 'parts[3]', 'parts[4]', 'parts[5]', 'parts[6]'
            ) }}
            {%- if takes_offset %}
            - make_dt_interval(
                0, coalesce(try_cast(parts[7] as integer), 0), coalesce(try_cast(parts[8] as integer), 0),
                coalesce(try_cast(parts[9] as integer), 0)
            )
            {%- endif %}
        )[0]
    end
{%- endmacro %}

{# By a layout of %Y, of one to four digits, and %m %d %H %M %S, of one or two, each separated by one character. #}
{% macro spark_timestamp_by(text, layout) -%}
    {%- set codes = modules.re.findall('%[YmdHMS]', layout) -%}
    {%- set form = namespace(text=layout) -%}
    {%- set parts = {} -%}
    {%- for code in codes -%}
        {%- set form.text = form.text | replace(code, '([0-9]{1,4})' if code == '%Y' else '([0-9]{1,2})') -%}
        {%- do parts.update({code: 'parts[' ~ loop.index0 ~ ']'}) -%}
    {%- endfor -%}
    {%- set form = '^[ \\t\\n\\x0b\\f\\r]*' ~ form.text ~ '[ \\t\\n\\x0b\\f\\r]*\\z' -%}
    case
        when {{ text }} rlike r'{{ form }}' then transform(
            array(split(regexp_replace(
                {{ text }}, r'{{ form }}', '{% for code in codes %}${{ loop.index }}{{ '|' if not loop.last }}{% endfor %}'
            ), '[|]')),
            parts -> {{ spark_timestamp_of(
                parts.get('%Y', "'1900'"), parts.get('%m', "'1'"), parts.get('%d', "'1'"),
                parts.get('%H', "'0'"), parts.get('%M', "'0'"), parts.get('%S', "'0'"), "''", midnights=1,
            ) }}
        )[0]
    end
{%- endmacro %}

{# The timestamp of texts: year (0 is 1 BC), month, day, hour, minute, second and its decimals; null where it does not exist. #}
{% macro spark_timestamp_of(year, month, day, hour, minute, second, decimals, midnights=2) -%}
    case
        when
            coalesce(try_cast(nullif({{ hour }}, '') as integer), 0) < 24
            and coalesce(try_cast(nullif({{ minute }}, '') as integer), 0) < 60
            and coalesce(try_cast(nullif({{ second }}, '') as integer), 0) < 60
            then try_make_timestamp(
                cast({{ year }} as integer), cast({{ month }} as integer), cast({{ day }} as integer),
                coalesce(try_cast(nullif({{ hour }}, '') as integer), 0), coalesce(try_cast(nullif({{ minute }}, '') as integer), 0),
                cast(coalesce(nullif({{ second }}, ''), '0') || '.' || {{ decimals }} || '0' as decimal(8, 6))
            )
        {%- if midnights == 2 %}
        when
            {{ hour }} = '24' and coalesce(try_cast(nullif({{ minute }}, '') as integer), 0) = 0
            and coalesce(try_cast(nullif({{ second }}, '') as integer), 0) = 0 and {{ decimals }} rlike '^0*$'
            then timestampadd(day, 1, try_make_timestamp(
                cast({{ year }} as integer), cast({{ month }} as integer), cast({{ day }} as integer), 0, 0, 0
            ))
        {%- endif %}
    end
{%- endmacro %}
