-- A failure means that collisions got lost or were counted twice between an input file and the marts, so no number
-- about collisions can be trusted until it is explained. Each row names a file and how many rows it should have.
{{ unaccounted_files(
    ref('agg_collisions_rows_by_file'), {'crashes': source('raw_collisions', 'crashes')}
) }}
