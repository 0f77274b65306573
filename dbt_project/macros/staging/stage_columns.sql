{#
    Query the rows of a raw table with typed values and `_unreadable`, the columns whose delivered value is there but cannot
    be read, as ',quantity,,unit_price,'; '' for none. apply_quality_rules makes each of them a failed rule, so a value
    that typing cannot read is never lost in silence.

    `columns`: {name: {type, …}}. Types:
      text             white space is normalized, invisible characters are removed
      word             the same, but white space within it is kept
      code             an id or code in its normal form (see normalize_code)
      integer, bigint  a whole number; with `is_code: true`, of a code in its normal form
      decimal          with `places`
      double
      date, timestamp  by the first of `layouts` that fits, none for ISO 8601, which is the default; an offset from UTC is
                       subtracted from a timestamp
      local_timestamp  the time that a clock in New York showed (see try_local_timestamp)
      expression       `source` as it is
    A number may be written with a `decimal_mark` or a `group_mark` of its own (1.234,50 has ',' and '.', 1,234.50 has '.' and
    ','), and with a `unit` such as '€' or '%' on either side, which is left out.
    `source` is SQL for the delivered text, by default the raw column of the name. `case` is upper or lower, for texts,
    words and codes. With `keeps_null_words: true`, a text such as None is a value (see the variable null_words).
#}
{% macro stage_columns(relation, columns) %}
    {%- set checked = [] -%}
    {%- set codes = [] -%}
    {%- for name, column in columns.items() if column.type not in ('text', 'word', 'expression') -%}
        {%- do checked.append(name) -%}
        {%- if column.type == 'code' -%}{%- do codes.append(name) -%}{%- endif -%}
    {%- endfor -%}
    {%- set texts = ['text', 'word', 'code'] -%}
    {%- set trims = checked | reject('in', codes) | list -%}
    {%- set platform_columns = ['_source_file', '_source_row', '_row_id', '_dlt_load_id'] -%}
    select
        {%- for name, column in columns.items() %}
        {{ without_null_words(name) if column.type in texts and not column.keeps_null_words else name }} as {{ name }},
        {%- endfor %}
        case
            {#- Nearly all rows need only these comparisons. #}
            when
                {%- for name in checked %}
                {{ 'or ' if not loop.first }}({{ name }} is null and {{ name }}_delivered is not null)
                {%- else %}
                false
                {%- endfor %}
                then {{ unreadable_columns(checked) if checked else "''" }}
            else ''
        end as _unreadable,
        {{ platform_columns | join(', ') }}
    from (
        select
            {%- for name, column in columns.items() %}
            {{ read_again(name, column) if name in checked and column.type != 'code' else name }} as {{ name }},
            {{- name ~ '_delivered, ' if name in checked }}
            {%- endfor %}
            {{ platform_columns | join(', ') }}
        from (
            select
                {%- for name, column in columns.items() %}
                {%- set delivered = column.source or name %}
                {{ typed_value(delivered if reads_padded_texts() or name not in trims else '_' ~ name ~ '_text', column) }} as {{ name }},
                {{- delivered ~ ' as ' ~ name ~ '_delivered, ' if name in checked }}
                {%- endfor %}
                {{ platform_columns | join(', ') }}
            from
            {%- if trims and not reads_padded_texts() %} (
                {#- Once, because the text of a view may be limited. #}
                select
                    *
                    {%- for name in trims %},
                    {{ trimmed(columns[name].source or name) }} as _{{ name }}_text
                    {%- endfor %}
                from {{ relation }}
            ) as texts
            {%- else %} {{ relation }}
            {%- endif %}
            {{ optimizer_fence() }}
        ) as typed
        {{ optimizer_fence() }}
    ) as typed_again
{%- endmacro %}

{# The columns that are null and whose delivered text is not absent, each between two commas. #}
{% macro unreadable_columns(names) -%}
    {{ return(adapter.dispatch('unreadable_columns')(names)) }}
{%- endmacro %}

{% macro default__unreadable_columns(names) -%}
    {%- for name in names %}
                    case when {{ name }} is null and not {{ is_absent(name ~ '_delivered') }} then ',{{ name }},' else '' end
                    {{- ' ||' if not loop.last }}
    {%- endfor %}
{%- endmacro %}

{# The value of a delivered text as a column of stage_columns declares it; null if it cannot be read. #}
{% macro typed_value(text, column) -%}
    {%- if column.type == 'expression' -%}
        {{ text }}
    {%- elif column.type in ('text', 'word', 'code') -%}
        {%- if column.type == 'code' -%}
            {%- set value -%}
                {%- if text | length > 100 -%}
                    {%- call(delivered) compute_once(text, 'delivered') -%}{{ normalize_code(delivered) }}{%- endcall -%}
                {%- else -%}
                    {{ normalize_code(text) }}
                {%- endif -%}
            {%- endset -%}
        {%- else -%}
            {%- set value = normalize_whitespace(text) if column.type == 'text' else trimmed(visible(text)) -%}
        {%- endif -%}
        {{ {'upper': upper_case(value), 'lower': 'lower(' ~ value ~ ')'}.get(column.case, value) }}
    {%- else -%}
        {{ read_value(text, column) }}
    {%- endif -%}
{%- endmacro %}

{#
    The value of a column of stage_columns, which is null for few rows: these have a code in another form, or, on an engine
    that reads most texts with blanks around them, other blanks. DuckDB would compute a `coalesce` for all rows.
#}
{% macro read_again(name, column) -%}
    {%- if column.is_code or reads_padded_texts() -%}
        {%- set text = name ~ '_delivered' -%}
        case
            when {{ name }} is null and {{ text }} is not null
                then
                    {% call(value) compute_once(normalize_code(text) if column.is_code else trimmed(text), 'value') -%}
                        {{ read_value(value, column) }}
                    {%- endcall %}
            else {{ name }}
        end
    {%- else -%}
        {{ name }}
    {%- endif -%}
{%- endmacro %}

{# Whether it is faster to read a text as it is, and to trim it only if it cannot be read. #}
{% macro reads_padded_texts() -%}
    {{- return(adapter.dispatch('reads_padded_texts')()) -}}
{%- endmacro %}

{% macro default__reads_padded_texts() -%}
    {{- return(false) -}}
{%- endmacro %}

{% macro duckdb__reads_padded_texts() -%}
    {{- return(true) -}}
{%- endmacro %}

{# Cast a text to a type of stage_columns that is not a text. #}
{% macro read_value(delivered, column) -%}
    {%- set is_written_plainly = not (column.unit or column.decimal_mark or column.group_mark) -%}
    {%- set text = delivered if is_written_plainly else plain_number(delivered, column) -%}
    {%- if column.type in ('integer', 'bigint') -%}
        {{ try_integer(text, column.type) }}
    {%- elif column.type == 'decimal' -%}
        {{ try_decimal(text, column.places) }}
    {%- elif column.type == 'double' -%}
        {{ try_double(text) }}
    {%- elif column.type == 'local_timestamp' -%}
        {{ try_local_timestamp(text) }}
    {%- elif column.type in ('date', 'timestamp') -%}
        {%- set read = [] -%}
        {%- for layout in column.layouts or [none] -%}
            {%- if column.type == 'timestamp' -%}
                {%- do read.append(try_timestamp(text, layout)) -%}
            {%- elif layout -%}
                {%- do read.append('cast(' ~ try_timestamp(text, layout) ~ ' as date)') -%}
            {%- else -%}
                {%- do read.append(try_date(text)) -%}
            {%- endif -%}
        {%- endfor -%}
        {{ read[0] if read | length == 1 else 'coalesce(' ~ read | join(', ') ~ ')' }}
    {%- else -%}
        {{ exceptions.raise_compiler_error("'" ~ column.type ~ "' is not a type of stage_columns") }}
    {%- endif -%}
{%- endmacro %}
