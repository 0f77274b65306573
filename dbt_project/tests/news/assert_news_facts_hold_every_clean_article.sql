-- A failure means that a clean article is missing from the fact, or that the fact has one that is not clean.
select coalesce(clean.article_id, facts.article_id) as article_id
from {{ ref('clean_news__articles') }} as clean
full outer join {{ ref('fct_articles') }} as facts on clean.article_id = facts.article_id
where clean.article_id is null or facts.article_id is null
