-- A failure means that articles got lost or were counted twice between the API and the marts, so no number about them
-- can be trusted until it is explained. Each row names an API and its missing rows.
{{ unaccounted_files(ref('agg_news_rows_by_file'), {'articles': source('raw_news', 'articles')}) }}
