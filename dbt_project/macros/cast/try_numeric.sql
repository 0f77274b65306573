{#
    PostgreSQL raises an error for a text that is no number, and the function that foretells it came with version 16. So
    what DuckDB takes for a number is told by its form here: blanks around it, a sign, an exponent, '.5', '5.' and '1_000'.
#}

{# The text `written`, which is a plain number: digits, maybe with a point among or behind them. #}
{% macro postgres_is_plain_number(length) -%}
    written ~ '^-?[0-9]+([.][0-9]*)?$' and length(written) < {{ length }}
{%- endmacro %}

{# The text `written` as a numeric, null where it is none or has an exponent of more than three digits. #}
{% macro postgres_try_numeric() -%}
    {%- set digits = '[0-9]+(_[0-9]+)*' -%}
    {%- set mantissa = '(' ~ digits ~ '([.](' ~ digits ~ ')?)?|[.]' ~ digits ~ ')' -%}
    case
        when
            length(written) < 1000
            and written ~ '^[ \t\n\v\f\r]*[+-]?{{ mantissa }}([eE][+-]?0*[0-9]{1,3})?[ \t\n\v\f\r]*$'
            then cast(replace(written, '_', '') as numeric)
    end
{%- endmacro %}

{#
    A text that is a number as DuckDB writes it, without blanks and underscores, null where it is none: Spark also takes '1d'
    and '0x1p3' for a number, and no '1_000'.
#}
{% macro spark_number(text) -%}
    {%- set digits = '[0-9]+(_[0-9]+)*' -%}
    {%- set mantissa = '(' ~ digits ~ '([.](' ~ digits ~ ')?)?|[.]' ~ digits ~ ')' -%}
    case
        when
            length({{ text }}) < 1000
            and {{ text }} rlike r'^[ \t\n\x0b\f\r]*[+-]?{{ mantissa }}([eE][+-]?0*[0-9]{1,3})?[ \t\n\x0b\f\r]*\z'
            then btrim(replace({{ text }}, '_', ''), ' \t\n\u000b\f\r')
    end
{%- endmacro %}
