{# Whether one of some models, given by name, was built after the newest row of a table was. All have `_built_at`. #}
{% macro is_any_newer(models, table) %}
    {% set built = [table] %}
    {% for name in models %}{% do built.append(ref(name)) %}{% endfor %}
    {% set times = [] %}
    {% for relation in built %}
        {% do times.append(run_query('select max(_built_at) from ' ~ relation).columns[0].values()[0]) %}
    {% endfor %}
    {{ return(times[0] is none or times | reject('none') | max > times[0]) }}
{% endmacro %}
