-- A failure means that orders, customers or products got lost or were counted twice between an input file and the
-- marts, so no number about sales can be trusted until it is explained. Each row names a file and its missing rows.
{{ row_reconciliation(ref('audit_ecommerce__row_counts')) }}
