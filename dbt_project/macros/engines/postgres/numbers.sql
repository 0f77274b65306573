{% macro postgres__safe_divide(numerator, denominator, places) -%}
    {#- Numeric division keeps 16 digits and may round a value just below a half up to the half; div() is exact. -#}
    {%- set over = 'round(abs(cast(' ~ numerator ~ ' as numeric)) * 10000)' -%}
    {%- set under = 'nullif(round(abs(cast(' ~ denominator ~ ' as numeric)) * 10000), 0)' -%}
    cast(
        sign(cast({{ numerator }} as numeric)) * sign(cast({{ denominator }} as numeric))
        * div(2 * {{ over }} * {{ 10 ** places }} + {{ under }}, 2 * {{ under }})
        * {{ '%.*f' | format(places, 10.0 ** -places) }}
        as decimal(18, {{ places }})
    )
{%- endmacro %}
