"""Judges articles by rules: without a key or a network, and the same text always in the same way."""

import re
from collections import Counter

from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer

from ingestion.enrich.schema import MOST_ENTITIES, TOPICS, Article, Judgement

KEYWORDS = {
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
MOST_SUMMARY = 300
_NAME = re.compile(r"\b[A-Z][\w'-]+(?:\s+[A-Z][\w'-]+)+|\b[A-Z]{2,6}\b")


class RuleBasedProvider:
    """Mood by VADER, topic by keywords, the first sentence as summary, and words written like names."""

    name = "local"
    model = "vader-keywords"
    prompt_version = "1"

    def __init__(self) -> None:
        self._mood = SentimentIntensityAnalyzer()

    def judge(self, article: Article) -> Judgement:
        """Judge one article."""
        return Judgement(
            sentiment=float(self._mood.polarity_scores(article.whole)["compound"]),
            topic=_topic(article.whole),
            summary=_leading_sentence(article.description or article.content or article.title),
            entities=_names(article.whole),
        )


def _topic(text: str) -> str:
    found = Counter(TOPIC_OF[word] for word in re.findall(r"[a-z]+", text.lower()) if word in TOPIC_OF)
    # Of topics with equally many words, the first in the list wins.
    return max(found, key=lambda topic: (found[topic], -TOPICS.index(topic)), default="other")


def _leading_sentence(text: str) -> str:
    flat = " ".join(text.replace("\x00", " ").split())
    return re.split(r"(?<=[.!?])\s", flat, maxsplit=1)[0][:MOST_SUMMARY].strip() or "(no text)"


def _names(text: str) -> list[str]:
    found = (" ".join(name.split())[:100] for line in text.splitlines() for name in _NAME.findall(line))
    return list(dict.fromkeys(found))[:MOST_ENTITIES]
