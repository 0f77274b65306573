"""The sentiment of articles by topic and day, the articles, and the cost of models."""

import streamlit as st

from dashboard.figures import MAX_SERIES, bars, count, figure, formatted, lines, numbers, share
from dashboard.filters import grain, period, some_of
from dashboard.published import ask, ask_row

TITLE, ICON, GROUP, ORDER = "News", ":material/newspaper:", "Domains", 100

MAX_ARTICLES = 200

_SPAN = """
select min(published_on) as first, max(published_on) as last, list_sort(list(distinct topic)) as topics
from marts.agg_sentiment_by_topic_day
"""
_CHOSEN = """
from marts.agg_sentiment_by_topic_day
where published_on between $first and $last and list_contains($topics, topic)
"""
_SUMS = """
sum(articles)::bigint as articles, sum(articles_with_sentiment)::bigint as articles_with_sentiment,
sum(positive_articles)::bigint as positive_articles, sum(negative_articles)::bigint as negative_articles,
round(sum(average_sentiment * articles_with_sentiment) / nullif(sum(articles_with_sentiment), 0), 4) as average_sentiment
"""
_TOTALS = f"select {_SUMS} {_CHOSEN}"
_TOPICS = f"select topic, {_SUMS} {_CHOSEN} group by all order by articles desc, topic"
_STEPS = f"""
with common as (select topic {_CHOSEN} group by all order by sum(articles) desc, topic limit {MAX_SERIES})
select date_trunc('{{grain}}', published_on)::date as day, topic, {_SUMS} {_CHOSEN} and topic in (select topic from common)
group by all having sum(articles_with_sentiment) > 0 order by all
"""
_COSTS = """
select date_trunc('{grain}', called_on)::date as day, provider || ' ' || model as model, sum(calls)::bigint as calls,
    sum(calls_without_use)::bigint as calls_without_use, sum(input_tokens + output_tokens)::bigint as tokens,
    sum(cost_usd) as cost_usd, sum(saved_usd) as saved_usd
from marts.agg_llm_cost_by_day where called_on between $first and $last group by all order by all
"""
_COST = "select sum(cost_usd) as cost, sum(saved_usd) as saved from marts.agg_llm_cost_by_day"
_ARTICLES = f"""
select articles.published_at, sources.source_name, articles.title, articles.topic, articles.sentiment,
    articles.summary, articles.enrichment_status, articles.model, articles.url
from marts.fct_articles as articles
inner join marts.dim_news_sources as sources on articles.source_key = sources.source_key
where articles.published_on between $first and $last and list_contains($topics, coalesce(articles.topic, 'unknown'))
order by articles.published_at desc, articles.article_id limit {MAX_ARTICLES}
"""


def show() -> None:
    st.title("News and their sentiment", anchor=False)
    span = ask_row("news", _SPAN)
    dates, topics, steps = st.columns([3, 5, 1])
    first, last = period(dates, span)
    chosen = {"first": first, "last": last}
    of_topics = chosen | {"topics": some_of(topics, "Topics", list(span["topics"]))}
    step = grain(steps, first, last)
    totals, cost = ask_row("news", _TOTALS, of_topics), ask_row("news", _COST)
    articles = totals["articles"]
    numbers(
        articles=count(articles),
        enriched=share(totals["articles_with_sentiment"] / articles if articles else None),
        average_sentiment=formatted(totals["average_sentiment"], "{:+.2f}"),
        model_cost_of_all_days=formatted(cost["cost"], "$ {:,.4f}"),
        saved_by_the_cache=formatted(cost["saved"], "$ {:,.4f}"),
    )
    found = ask("news", _STEPS.format(grain=step), of_topics)
    scale = "Sentiment, -1 (negative) to 1 (positive)"
    chart = lines(found, "day", "average_sentiment", "topic", y_title=scale)
    title = f"Sentiment by {step} and topic, the {MAX_SERIES} most common topics"
    figure(title, found, chart, name="sentiment_by_topic_day")
    left, right = st.columns(2)
    with left:
        found = ask("news", _TOPICS, of_topics)
        chart = bars(found, "topic", "articles", title="Articles")
        figure("Articles by topic", found, chart, name="articles_by_topic")
    with right:
        found = ask("news", _COSTS.format(grain=step), chosen)
        chart = lines(found, "day", "cost_usd", "model", y_title=f"US dollars per {step}", format="~g")
        figure(f"Model cost by {step}", found, chart, name="cost_by_day")
    found = ask("news", _ARTICLES, of_topics)
    figure(f"Latest articles (at most {MAX_ARTICLES})", found, name="articles")
