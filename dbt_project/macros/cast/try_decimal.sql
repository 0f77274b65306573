{# Cast a text to a decimal with a fixed number of places, or null. More places are rounded, half away from zero. #}
{% macro try_decimal(text, places) -%}
    {{ return(adapter.dispatch('try_decimal')(text, places)) }}
{%- endmacro %}

{% macro duckdb__try_decimal(text, places) -%}
    {#- DuckDB casts '- ' to 0, '1e ' to 1 and '1_0' to 10. -#}
    case
        when right({{ text }}, 1) between '.' and '9' and not contains({{ text }}, '_')
            then try_cast({{ text }} as decimal(18, {{ places }}))
    end
{%- endmacro %}
