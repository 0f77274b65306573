{% macro spark__safe_divide(numerator, denominator, places) -%}
    {#- Decimal division rounds to the places that its type has left; div is exact. Decimals have at most 38 digits. -#}
    {%- set over = 'cast(abs(cast(' ~ numerator ~ ' as decimal(28, 4))) * 10000 as decimal(24, 0))' -%}
    {%- set under = 'cast(abs(cast(' ~ denominator ~ ' as decimal(28, 4))) * 10000 as decimal(24, 0))' -%}
    cast(
        case when ({{ numerator }} < 0) <> ({{ denominator }} < 0) then -1 else 1 end
        * cast(({{ over }} * cast({{ 2 * 10 ** places }} as decimal(8, 0)) + {{ under }}) div nullif(2 * {{ under }}, 0) as decimal(19, 0))
        * cast({{ '%.*f' | format(places, 10.0 ** -places) }} as decimal({{ places + 1 }}, {{ places }}))
        as decimal(18, {{ places }})
    )
{%- endmacro %}

{% macro spark__compute_once_parts(expression, name) -%}
    {{- return(['transform(array(' ~ expression ~ '), ' ~ name ~ ' -> ', name, ')[0]']) -}}
{%- endmacro %}
