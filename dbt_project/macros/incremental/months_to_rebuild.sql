{#
    Return the months, as texts like '2022-04-01', that differ or that the environment variable SLUICE_REBUILD names, as 2022
    or 2021,2022-04. `states`: a query for month and differs.
#}
{% macro months_to_rebuild(states) %}
    {% set prefixes = [] %}
    {% for prefix in env_var('SLUICE_REBUILD', '').split(',') | map('trim') if prefix %}
        {% if not modules.re.match('^[0-9]{4}(-(0[1-9]|1[0-2]))?$', prefix) %}
            {{ exceptions.raise_compiler_error("SLUICE_REBUILD: '" ~ prefix ~ "' is neither a year (2022) nor a month (2022-04)") }}
        {% endif %}
        {% do prefixes.append(prefix) %}
    {% endfor %}
    {% set query %}
        select month
        from (select cast(month as {{ dbt.type_string() }}) as month, differs from ({{ states }}) as states) as compared
        where differs {%- for prefix in prefixes %} or month like '{{ prefix }}%'{% endfor %}
        order by month
    {% endset %}
    {{ return(run_query(query).columns[0].values() | list) }}
{% endmacro %}
