"""The schema of an enrichment, the interface of providers, and their errors."""

from dataclasses import dataclass
from typing import Annotated, Literal, Protocol, get_args

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

Topic = Literal[
    "politics",
    "business",
    "technology",
    "science",
    "health",
    "sports",
    "entertainment",
    "environment",
    "other",
]
TOPICS = get_args(Topic)
MAX_ENTITIES = 20


class Enrichment(BaseModel):
    """The sentiment of an article from -1 to 1, its topic, a summary of one sentence, and the entities it names."""

    model_config = ConfigDict(extra="forbid", strict=True)

    sentiment: float = Field(ge=-1, le=1, allow_inf_nan=False)
    topic: Topic
    summary: Annotated[
        str, StringConstraints(strip_whitespace=True, min_length=1, max_length=400, pattern=r"^[^\n\x00]*$")
    ]
    entities: list[Annotated[str, StringConstraints(min_length=1, max_length=100)]] = Field(
        max_length=MAX_ENTITIES
    )


@dataclass(frozen=True)
class Article:
    """A text to enrich, and the hash that identifies it."""

    content_hash: str
    title: str
    description: str
    content: str

    @property
    def text(self) -> str:
        """The whole text, one part per line."""
        return "\n".join(filter(None, (self.title, self.description, self.content)))


class InvalidResponseError(Exception):
    """Neither the first nor the second response for this article can be used; the message gives the reason."""


class RequestRejectedError(Exception):
    """The API rejects the request, because of this text or of what all requests have in common."""


class NoResponseError(Exception):
    """No response came for this article; another run may get one."""


class EnrichmentStoppedError(Exception):
    """No further article can be enriched in this run; the message gives the reason."""


class Provider(Protocol):
    """Enriches articles; `name`, `model` and `prompt_version` are stored with each enrichment."""

    name: str
    model: str
    prompt_version: str

    def enrich(self, article: Article) -> Enrichment:
        """Enrich one article; several threads may call it at once.

        Raises:
            InvalidResponseError, RequestRejectedError, NoResponseError, EnrichmentStoppedError: see there.
        """
        ...
