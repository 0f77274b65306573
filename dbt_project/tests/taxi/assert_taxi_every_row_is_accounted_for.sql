-- A failure means that trips got lost or were counted twice between an input file and the marts, so no number about
-- taxis can be trusted until it is explained. Each row names a file and its missing rows.
{{ unaccounted_files(ref('agg_taxi_rows_by_file'), {'trips': source('raw_taxi', 'trips')}) }}
