"""The form of a judgement on an article, which every provider keeps to."""

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
    """An article's mood from -1 to 1, its topic, a summary of one sentence, and the people and things it names."""

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
    """A text to judge, and the hash that identifies it."""

    content_hash: str
    title: str
    description: str
    content: str

    @property
    def whole(self) -> str:
        """The whole text, one part a line."""
        return "\n".join(filter(None, (self.title, self.description, self.content)))


class BadAnswerError(Exception):
    """The answer cannot be used, nor can that to a second request; the message says why."""


class RefusedError(Exception):
    """The API refuses the request: because of this text, or of what is the same for all; the message says how."""


class UnansweredError(Exception):
    """No answer came for this article; another run may get one."""


class StopError(Exception):
    """No further article can be judged in this run; the message says why."""


class Provider(Protocol):
    """Something that judges articles; `name`, `model` and `prompt_version` are kept with each of its judgements."""

    name: str
    model: str
    prompt_version: str

    def judge(self, article: Article) -> Judgement:
        """Judge one article; several threads may call it at once.

        Raises:
            BadAnswerError, RefusedError, UnansweredError, StopError: see there.
        """
        ...
