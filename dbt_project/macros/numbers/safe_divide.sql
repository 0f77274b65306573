{#
    Divide two decimals with at most four places and round half away from zero; null where the divisor is zero or null. A
    plain division gives a double on DuckDB, which rounds some halves the wrong way, and truncates integers on PostgreSQL.
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
