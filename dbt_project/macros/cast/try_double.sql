{# Cast a text to a finite double, or null. #}
{% macro try_double(text) -%}
    {{ return(adapter.dispatch('try_double')(text)) }}
{%- endmacro %}

{% macro duckdb__try_double(text) -%}
    {#- DuckDB casts '1_0' to 10. -#}
    case
        when not contains({{ text }}, '_') then nullif(nullif(nullif(try_cast({{ text }} as double), 'nan'), 'inf'), '-inf')
    end
{%- endmacro %}
