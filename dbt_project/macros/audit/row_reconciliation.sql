{#
    The files of an audit mart (see load_audit) where a row is missing or too many, and the entities whose raw table does not
    hold as many rows as the mart says. No row: every row is accounted for. The raw tables are those that the mart reads.
#}
{% macro row_reconciliation(mart) %}
    select
        entity,
        source_file,
        rows_read,
        rows_clean + rows_quarantined + rows_superseded + rejected_lines_counted as rows_found
    from {{ mart }}
    where
        rows_read <> rows_clean + rows_quarantined + rows_superseded + rejected_lines_counted
        or rows_loaded <> raw_rows_counted
        or rows_rejected <> rejected_lines_counted
        or raw_rows_counted <> rows_clean + rows_quarantined + rows_superseded
    {%- for raw in (raw_tables_of(mart) if execute else []) %}
    union all
    select
        '{{ raw.name }}' as entity,
        '(the whole raw table)' as source_file,
        sums.rows_loaded as rows_read,
        counted.row_count as rows_found
    from (select count(*) as row_count from {{ raw.relation_name }}) as counted
    cross join (
        select coalesce(sum(rows_loaded), 0) as rows_loaded from {{ mart }} where entity = '{{ raw.name }}'
    ) as sums
    where sums.rows_loaded <> counted.row_count
    {%- endfor %}
{% endmacro %}

{# The sources of a mart that hold the rows of an entity. #}
{% macro raw_tables_of(mart) %}
    {% set node = graph.nodes['model.' ~ project_name ~ '.' ~ mart.identifier] %}
    {% set sources = [] %}
    {% for unique_id in node.depends_on.nodes | sort if unique_id in graph.sources %}
        {% set source = graph.sources[unique_id] %}
        {% if source.name not in ('file_loads', 'rejected_lines') %}{% do sources.append(source) %}{% endif %}
    {% endfor %}
    {{ return(sources) }}
{% endmacro %}
