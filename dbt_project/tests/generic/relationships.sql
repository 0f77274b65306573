{#
    Every value of the column is among those of another relation's column, or null. In place of dbt's own test of this
    name: the distinct values of a fact of millions of rows are found in a tenth of the time that a join of all its rows takes.
#}
{% test relationships(model, column_name, to, field) %}
    select child.{{ column_name }}
    from (select distinct {{ column_name }} from {{ model }} where {{ column_name }} is not null) as child
    left join {{ to }} as parent on child.{{ column_name }} = parent.{{ field }}
    where parent.{{ field }} is null
{% endtest %}
