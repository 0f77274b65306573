-- A failure means that sales or products got lost or were counted twice between a file, or the API, and the marts, so
-- no number about sales can be trusted until it is explained. Each row names a file and its missing rows.
{{ row_reconciliation(ref('audit_sales__row_counts')) }}
