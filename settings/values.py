"""Types of settings whose values have a form."""

import re
from typing import Annotated, Any

from pydantic import AfterValidator, Field, SecretStr
from pydantic_core import PydanticCustomError

Port = Annotated[int, Field(ge=1, le=65535)]


def matching(pattern: str, meaning: str) -> Any:
    """Return a validator of texts; its error says what they must be, and not what a secret is."""

    def check(value: Any) -> Any:
        if not re.fullmatch(pattern, value.get_secret_value() if isinstance(value, SecretStr) else value):
            raise PydanticCustomError("form", "must be {meaning}", {"meaning": meaning})
        return value

    return AfterValidator(check)


def without_slash(url: str) -> str:
    """Return a URL without a slash at its end."""
    return url.rstrip("/")


# A password in the address would end up in logs and messages.
HttpUrl = Annotated[
    str,
    matching(r"https?://[^\s/@]+(/\S*)?", "a URL such as http://127.0.0.1:8080, without a password"),
    AfterValidator(without_slash),
]
Email = Annotated[str, matching(r"[^@\s<>]+@[^@\s<>]+", "addresses such as ops@example.org")]
MemorySize = Annotated[str, matching(r"[1-9][0-9]*([.][0-9]+)? ?[KMGT]i?B", "a size such as 2GB or 512MiB")]
