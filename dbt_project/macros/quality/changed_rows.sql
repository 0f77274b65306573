{#
    Query row id and key of the validated rows of other loads whose result may differ because a correction or a redelivery
    arrived or was deleted, or because a reference appeared or disappeared.
#}
{% macro changed_rows(key, references, replaced_loads, has_corrections) %}
    {%- set is_corrected = in_subquery('validated._row_id', 'select _corrects_row_id from corrections') if has_corrections else 'false' %}
    select {{ prefix_columns('validated', (['_row_id'] + key) | unique) }}
    from {{ this }} as validated
    where
        not {{ in_list('_dlt_load_id', replaced_loads) }}
        and (
            validated.is_replaced <> (
                {{ is_corrected }}
                or (
                    validated._failed_rules <> ''
                    and {{ in_subquery('validated._dlt_load_id', 'select _dlt_load_id from redelivered_loads') }}
                )
            )
            {%- for flag, reference in references.items() %}
            or validated.{{ flag }} <> {{ reference_exists('validated', reference) }}
            {%- endfor %}
        )
{% endmacro %}
