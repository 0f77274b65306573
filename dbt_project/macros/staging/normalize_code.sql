{#
    An id or code in its normal form, so that it is one key however it was delivered: without blanks around it and invisible
    characters, full-width characters as those of ASCII, without the apostrophe or the ="…" by which spreadsheets mark
    texts, and 1001 for 1001.0 and 1.001E3. Leading zeros and case stay.

    Null for a code that has no such form without a guess: a number that has lost digits (1.23457E+11), or with commas.
#}
{% macro normalize_code(text) -%}
    case
        when {{ is_plain_code(text) }} then nullif({{ strip_spaces(text) }}, '')
        else {{ normalize_unusual_code(text) }}
    end
{%- endmacro %}

{# Whether a code has nothing to normalize but blanks around it. #}
{% macro is_plain_code(text) -%}
    {{ return(adapter.dispatch('is_plain_code')(text)) }}
{%- endmacro %}

{% macro default__is_plain_code(text) -%}
    {{ matches(text, '^[A-Za-z0-9_/: -]*$') }}
{%- endmacro %}

{% macro duckdb__is_plain_code(text) -%}
    {#- Ten times as fast as a regular expression. -#}
    strlen({{ text }}) = length({{ text }})
    {%- for character in ["'.'", "'+'", "','", "''''", "'\"'", 'chr(9)', 'chr(10)', 'chr(13)'] %}
    and not contains({{ text }}, {{ character }})
    {%- endfor %}
{%- endmacro %}

{% macro normalize_unusual_code(text) -%}
    {%- set letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+-./_' -%}
    {%- set wide = [] -%}
    {%- for letter in letters -%}{%- do wide.append(fullwidth(letter)) -%}{%- endfor -%}
    {%- set blanks = unicode_blanks() ~ '\t\n\r' -%}
    {%- set text = "translate(" ~ text ~ ", '" ~ blanks ~ wide | join ~ invisible_characters(false) ~ "', '"
        ~ ' ' * (blanks | length) ~ letters ~ "')" -%}
    {%- set text = keep_group(strip_spaces(text), '^="(.*)"$') -%}
    {%- set text = keep_group(text, "^'(.*)$") -%}
    {%- set text = strip_spaces(text) -%}
    {%- set text = keep_group(text, '^(-?[0-9]+)[.]0*$') -%}
    {%- call(code) compute_once(text, 'code') -%}
        {{ without_number_formats(code) }}
    {%- endcall -%}
{%- endmacro %}

{# A code whose characters are in their normal form; null for a number that has lost digits, or with commas. #}
{% macro without_number_formats(text) -%}
    {#- Of a number with an exponent all digits are known if it has at least as many decimals. -#}
    {%- set decimals = "length(split_part(split_part(lower(" ~ text ~ "), 'e', 1), '.', 2))" -%}
    {%- set exponent = "cast(replace(split_part(lower(" ~ text ~ "), 'e', 2), '+', '') as integer)" -%}
    case
        when {{ matches(text, '^-?[0-9][.][0-9]{1,18}[eE][+]?[0-9]{1,2}$') }} then
            case
                when {{ decimals }} >= {{ exponent }} then
                    case
                        when cast({{ text }} as decimal(38, 18)) = floor(cast({{ text }} as decimal(38, 18)))
                            then cast(cast({{ text }} as decimal(38, 0)) as {{ dbt.type_string() }})
                    end
            end
        when {{ matches(text, '^-?[0-9]([.,][0-9]+[eE][+-]?|[eE][+])[0-9]+$') }} then null
        when {{ matches(text, '^-?[0-9]+(,[0-9]+)+([.][0-9]*)?$') }} then null
        else nullif({{ text }}, '')
    end
{%- endmacro %}

{# The full-width form of a character of ASCII. #}
{% macro fullwidth(character) -%}
    {{- return(('\\uff%02x' | format(character.encode('ascii')[0] - 32)).encode('ascii').decode('unicode_escape')) -}}
{%- endmacro %}
