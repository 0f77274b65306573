"""The sentiment of articles by topic and day, the articles, and the cost of models."""

import streamlit as st

from dashboard.figures import MAX_SERIES, bars, figure, lines, metric_cards, numbers
from dashboard.filters import grain, period, some_of
from dashboard.metrics import ask_metrics
from dashboard.published import ask, ask_row

TITLE, ICON, GROUP, ORDER = "News", ":material/newspaper:", "Domains", 100

MAX_ARTICLES = 200

_SPAN = """
select min(published_on) as first, max(published_on) as last, list_sort(list(distinct topic)) as topics
from marts.agg_sentiment_by_topic_day
"""
_CHOSEN = ("{time} between $first and $last", "list_contains($topics, {topic})")
_COUNTS = (
    "articles",
    "articles_with_sentiment",
    "positive_articles",
    "negative_articles",
    "average_sentiment",
)
_COSTS = ("model_calls", "model_tokens", "model_cost", "model_cost_saved")
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
    dates, topics, steps = st.columns([3, 5, 2])
    first, last = period(dates, span, ask_metrics(["articles"], grain="day"))
    chosen = {"first": first, "last": last}
    of_topics = chosen | {"topics": some_of(topics, "Topics", list(span["topics"]))}
    step = grain(steps, first, last)
    totals = ask_metrics(
        ["articles", "enriched_share", "average_sentiment"], where=_CHOSEN, parameters=of_topics
    )
    costs = ask_metrics(["model_cost", "model_cost_saved"], where=_CHOSEN[:1], parameters=chosen)
    numbers(*metric_cards(totals), *metric_cards(costs))
    topics_found = ask_metrics(
        _COUNTS, ["topic"], where=_CHOSEN, parameters=of_topics, order="articles desc, topic"
    )
    common = of_topics | {"topics": list(topics_found["topic"][:MAX_SERIES])}
    found = ask_metrics(_COUNTS, ["topic"], step, _CHOSEN, common).dropna(subset="average_sentiment")
    scale = "Sentiment, -1 (negative) to 1 (positive)"
    chart = lines(found, step, "average_sentiment", "topic", y_title=scale)
    title = f"Sentiment by {step} and topic, the {MAX_SERIES} most common topics"
    figure(title, found, chart, name="sentiment_by_topic_day")
    left, right = st.columns(2)
    with left:
        chart = bars(topics_found, "topic", "articles", title="Articles")
        figure("Articles by topic", topics_found, chart, name="articles_by_topic")
    with right:
        found = ask_metrics(_COSTS, ["provider", "model"], step, _CHOSEN[:1], chosen)
        found = found.assign(model=found["provider"] + " " + found["model"])
        chart = lines(found, step, "model_cost", "model", y_title=f"US dollars per {step}")
        figure(f"Model cost by {step}", found, chart, name="cost_by_day")
    found = ask("news", _ARTICLES, of_topics)
    figure(f"Latest articles (at most {MAX_ARTICLES})", found, name="articles")
