{#
    One decimal divided by another, rounded half away from zero to some places; null where the divisor is zero or null.
    A plain division is a double on DuckDB, which rounds some halves the wrong way, and cuts whole numbers on PostgreSQL.
    Both operands have at most four places.
#}
{% macro safe_divide(numerator, denominator, places) -%}
    {{ return(adapter.dispatch('safe_divide')(numerator, denominator, places)) }}
{%- endmacro %}

{% macro duckdb__safe_divide(numerator, denominator, places) -%}
    {%- set over = 'cast(round(abs(' ~ numerator ~ ') * 10000) as hugeint)' -%}
    {%- set under = 'nullif(cast(round(abs(' ~ denominator ~ ') * 10000) as hugeint), 0)' -%}
    cast(
        sign({{ numerator }}) * sign({{ denominator }})
        * cast((2 * {{ over }} * {{ 10 ** places }} + {{ under }}) // (2 * {{ under }}) as decimal(28, 0))
        * cast({{ '%.*f' | format(places, 10.0 ** -places) }} as decimal({{ places + 1 }}, {{ places }}))
        as decimal(18, {{ places }})
    )
{%- endmacro %}

{% macro postgres__safe_divide(numerator, denominator, places) -%}
    {#- A division of numerics keeps 16 digits, which may round a number just below a half up to it; div() is exact. -#}
    {%- set over = 'round(abs(cast(' ~ numerator ~ ' as numeric)) * 10000)' -%}
    {%- set under = 'nullif(round(abs(cast(' ~ denominator ~ ' as numeric)) * 10000), 0)' -%}
    cast(
        sign(cast({{ numerator }} as numeric)) * sign(cast({{ denominator }} as numeric))
        * div(2 * {{ over }} * {{ 10 ** places }} + {{ under }}, 2 * {{ under }})
        * {{ '%.*f' | format(places, 10.0 ** -places) }}
        as decimal(18, {{ places }})
    )
{%- endmacro %}

{% macro spark__safe_divide(numerator, denominator, places) -%}
    {#- A division of decimals is rounded to the digits that its type has left; div is exact. No number has more than 38 digits. -#}
    {%- set over = 'cast(abs(cast(' ~ numerator ~ ' as decimal(28, 4))) * 10000 as decimal(24, 0))' -%}
    {%- set under = 'cast(abs(cast(' ~ denominator ~ ' as decimal(28, 4))) * 10000 as decimal(24, 0))' -%}
    cast(
        case when ({{ numerator }} < 0) <> ({{ denominator }} < 0) then -1 else 1 end
        * cast(({{ over }} * cast({{ 2 * 10 ** places }} as decimal(8, 0)) + {{ under }}) div nullif(2 * {{ under }}, 0) as decimal(19, 0))
        * cast({{ '%.*f' | format(places, 10.0 ** -places) }} as decimal({{ places + 1 }}, {{ places }}))
        as decimal(18, {{ places }})
    )
{%- endmacro %}
