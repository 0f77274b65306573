"""Enriches articles by rules: without a key or a network, and with the same result for the same text."""

import re
from collections import Counter

from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer

from ingestion.enrich.schema import MAX_ENTITIES, TOPICS, Article, Enrichment, Topic

KEYWORDS: dict[Topic, str] = {
    "politics": "election elections parliament president minister government senate vote voters law policy party treaty",
    "business": "market markets shares stock profit profits bank economy trade inflation company merger earnings startup",
    "technology": "software ai computer chip chips data internet robot robots app cyber cloud smartphone algorithm",
    "science": "study researchers scientists space telescope physics genome experiment planet laboratory discovery",
    "health": "hospital patients vaccine disease doctors medicine virus clinic therapy cancer health",
    "sports": "match team league coach goal season championship tournament player cup olympic",
    "entertainment": "film movie album singer actor festival series concert theatre premiere",
    "environment": "climate emissions forest wildfire drought flood carbon species ocean pollution renewable",
}
TOPIC_OF = {word: topic for topic, words in KEYWORDS.items() for word in words.split()}
MAX_SUMMARY = 300
_NAME = re.compile(r"\b[A-Z][\w'-]+(?:\s+[A-Z][\w'-]+)+|\b[A-Z]{2,6}\b")


class RuleBasedProvider:
    """Sentiment by VADER, topic by keywords, the first sentence as summary, and capitalized words as entities."""

    name = "local"
    model = "vader-keywords"
    prompt_version = "1"

    def __init__(self) -> None:
        self._sentiment = SentimentIntensityAnalyzer()

    def enrich(self, article: Article) -> Enrichment:
        """Enrich one article."""
        return Enrichment(
            sentiment=float(self._sentiment.polarity_scores(article.text)["compound"]),
            topic=_topic(article.text),
            summary=_leading_sentence(article.description or article.content or article.title),
            entities=_names(article.text),
        )


def _topic(text: str) -> Topic:
    found = Counter(TOPIC_OF[word] for word in re.findall(r"[a-z]+", text.lower()) if word in TOPIC_OF)
    # Between topics with the same number of words, the first in the list wins.
    return max(found, key=lambda topic: (found[topic], -TOPICS.index(topic)), default="other")


def _leading_sentence(text: str) -> str:
    flat = " ".join(text.replace("\x00", " ").split())
    return re.split(r"(?<=[.!?])\s", flat, maxsplit=1)[0][:MAX_SUMMARY].strip() or "(no text)"


def _names(text: str) -> list[str]:
    found = (" ".join(name.split())[:100] for line in text.splitlines() for name in _NAME.findall(line))
    return list(dict.fromkeys(found))[:MAX_ENTITIES]
