{# Text without the blanks around it, of whichever width and script (Unicode's category Zs). #}
{% macro strip_spaces(text) -%}
    {{ return(adapter.dispatch('strip_spaces')(text)) }}
{%- endmacro %}

{% macro duckdb__strip_spaces(text) -%}
    trim({{ text }})
{%- endmacro %}

{% macro postgres__strip_spaces(text) -%}
    {#- Where all is ASCII, which has one blank: a list of characters takes ten times as long. -#}
    case
        when octet_length({{ text }}) = length({{ text }}) then btrim({{ text }})
        else btrim({{ text }}, E' \u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000')
    end
{%- endmacro %}

{% macro spark__strip_spaces(text) -%}
    btrim({{ text }}, ' \u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000')
{%- endmacro %}
