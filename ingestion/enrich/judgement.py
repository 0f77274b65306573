"""What is said of an article: the form that every provider keeps to."""

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
MOST_ENTITIES = 20


class Judgement(BaseModel):
    """An article's mood from -1 to 1, its topic, one sentence on it, and whom and what it names."""

    model_config = ConfigDict(extra="forbid", strict=True)

    sentiment: float = Field(ge=-1, le=1, allow_inf_nan=False)
    topic: Topic
    summary: Annotated[
        str, StringConstraints(strip_whitespace=True, min_length=1, max_length=400, pattern=r"^[^\n\x00]*$")
    ]
    entities: list[Annotated[str, StringConstraints(min_length=1, max_length=100)]] = Field(
        max_length=MOST_ENTITIES
    )


@dataclass(frozen=True)
class Article:
    """A text to judge, and the hash that it is known by."""

    content_hash: str
    title: str
    description: str
    content: str

    @property
    def whole(self) -> str:
        """All of it."""
        return "\n".join(filter(None, (self.title, self.description, self.content)))


class BadAnswerError(Exception):
    """There is an answer, and it is none that can be used, also when asked once more; the message says why."""


class UnansweredError(Exception):
    """There is no answer to this article now; another run may have one."""


class StopError(Exception):
    """No further article can be judged now; the message says why."""


class Provider(Protocol):
    """Who judges articles. `name`, `model` and `prompt_version` say by whose judgement an article stands."""

    name: str
    model: str
    prompt_version: str

    def judge(self, article: Article) -> Judgement:
        """Judge one article; several threads may call it at once.

        Raises:
            BadAnswerError, UnansweredError, StopError: see there.
        """
        ...
