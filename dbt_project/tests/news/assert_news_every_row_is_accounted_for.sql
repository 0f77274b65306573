-- A failure means that articles got lost or were counted twice between the API and the marts, so no number about them
-- can be trusted until it is explained. Each row names an API and its missing rows.
{{ row_reconciliation(ref('audit_news__row_counts')) }}
