{#
    Remove the characters of a text that nobody sees: byte order marks, zero width spaces, soft hyphens and marks of writing
    direction. Other white space than the space becomes one. `joins`: keep the zero width joiners, which some scripts need.
#}
{% macro visible(text, joins=false) -%}
    {{ translate_if_not_ascii(text, unicode_blanks(), ' ' * unicode_blanks() | length, removed=invisible_characters(joins)) }}
{%- endmacro %}

{# White space outside ASCII: Unicode's category Zs, and the separators of lines and paragraphs. #}
{% macro unicode_blanks() -%}
    {{- return("\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000") -}}
{%- endmacro %}

{% macro invisible_characters(joins) -%}
    {{- return(
        "\ufeff\u200b\u2060\u00ad\u034f\u061c\u180e\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
        ~ ("" if joins else "\u200c\u200d")
    ) -}}
{%- endmacro %}

{# Replace characters outside ASCII by others, and remove some; texts in ASCII are left as they are, which is much faster. #}
{% macro translate_if_not_ascii(text, characters, replacements, removed) -%}
    case when {{ is_ascii(text) }} then {{ text }} else translate({{ text }}, '{{ characters ~ removed }}', '{{ replacements }}') end
{%- endmacro %}

{% macro is_ascii(text) -%}
    {{ return(adapter.dispatch('is_ascii')(text)) }}
{%- endmacro %}

{% macro default__is_ascii(text) -%}
    octet_length({{ text }}) = length({{ text }})
{%- endmacro %}

{% macro duckdb__is_ascii(text) -%}
    strlen({{ text }}) = length({{ text }})
{%- endmacro %}
