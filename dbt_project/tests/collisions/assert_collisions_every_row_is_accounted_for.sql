-- A failure means that collisions got lost or were counted twice between an input file and the marts, so no number
-- about collisions can be trusted until it is explained. Each row names a file and how many rows it should have.
{{ row_reconciliation(ref('audit_collisions__row_counts')) }}
