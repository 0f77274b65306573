-- A failure means that trips got lost or were counted twice between an input file and the marts, so no number about
-- taxis can be trusted until it is explained. Each row names a file and its missing rows.
{{ row_reconciliation(ref('audit_taxi__row_counts')) }}
