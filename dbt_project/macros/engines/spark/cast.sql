{% macro spark__fits(text, form) -%}
    {{ text }} rlike r'^({{ form }})\z'
{%- endmacro %}

{% macro spark__is_email(text) -%}
    {{ text }} rlike r'^{{ email_pattern() }}\z'
{%- endmacro %}

{% macro spark__json_text(text, field) -%}
    case when {{ text }} rlike r'{{ json_object_pattern('+') }}\z' then get_json_object({{ text }}, '$.{{ field }}') end
{%- endmacro %}

{% macro spark__normalize_whitespace(text) -%}
    nullif({{ strip_spaces("regexp_replace(" ~ text ~ ", r'[ \\t\\n\\f\\r]+', ' ')") }}, '')
{%- endmacro %}

{% macro spark__sha256_hex(text) -%}
    sha2({{ text }}, 256)
{%- endmacro %}

{% macro spark__strip_spaces(text) -%}
    {#- The characters themselves, as many texts are stripped and the text of a view may be limited. -#}
    btrim({{ text }}, ' {{ "\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000" }}')
{%- endmacro %}

{% macro spark__try_date(text) -%}
    cast({{ spark_iso_timestamp(text, takes_offset=false) }} as date)
{%- endmacro %}

{% macro spark__try_decimal(text, places) -%}
    try_cast({{ spark_number(text) }} as decimal(18, {{ places }}))
{%- endmacro %}

{% macro spark__try_double(text) -%}
    {#- The cast gives infinity beyond a double's range. -#}
    nullif(nullif(try_cast({{ spark_number(text) }} as double), double('Infinity')), double('-Infinity'))
{%- endmacro %}

{% macro spark__try_integer(text, type) -%}
    case when {{ text }} rlike r'^[+-]?[0-9]+(\.0*)?\z' then try_cast(split_part({{ text }}, '.', 1) as {{ type }}) end
{%- endmacro %}

{# A text that DuckDB casts to a number, without blanks; null for other texts. #}
{% macro spark_number(text) -%}
    case
        when length({{ text }}) < 1000 and {{ text }} rlike r'{{ number_pattern() }}\z'
            then btrim({{ text }}, ' \t\n\u000b\f\r')
    end
{%- endmacro %}

{% macro spark__try_local_timestamp(text) -%}
    {%- set local = without_new_york_offset(text) -%}
    case when not {{ has_offset(local) }} then {{ spark_iso_timestamp(local, takes_offset=false) }} end
{%- endmacro %}

{% macro spark__try_timestamp(text, layout) -%}
    {{ spark_timestamp_by(text, layout) if layout else spark_iso_timestamp(text, takes_offset=true) }}
{%- endmacro %}

{% macro spark__matches(text, pattern) -%}
    {{ text }} rlike '{{ dbt.escape_single_quotes(pattern) }}'
{%- endmacro %}

{% macro spark__group_reference() -%}
    $1
{%- endmacro %}

{% macro spark__escape_backslashes(text) -%}
    {{- return(text | replace('\\', '\\\\')) -}}
{%- endmacro %}

{% macro spark__unreadable_columns(names) -%}
    array_join(
        transform(
            filter(
                array(
                    {%- for name in names %}
                    struct('{{ name }}' as name, {{ name }} is null as is_null, {{ name }}_delivered as text)
                    {{- ',' if not loop.last }}
                    {%- endfor %}
                ),
                checked -> checked.is_null and not {{ is_absent('checked.text') }}
            ),
            checked -> ',' || checked.name || ','
        ),
        ''
    )
{%- endmacro %}
