"""Types of settings whose values have a form."""

import re
import unicodedata
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, Field, SecretStr
from pydantic_core import PydanticCustomError

from common.text import printable

Port = Annotated[int, Field(ge=1, le=65535)]


def matching(pattern: str, meaning: str) -> Any:
    """Return a validator of texts; its error says what they must be, and not what a secret is."""

    def check(value: Any) -> Any:
        if not re.fullmatch(pattern, value.get_secret_value() if isinstance(value, SecretStr) else value):
            raise PydanticCustomError("form", "must be {meaning}", {"meaning": meaning})
        return value

    return AfterValidator(check)


# What dlt, DuckDB, dbt, Airflow's SQLite and Spark's Java take in a path without quoting it in ways of their own.
_IN_PATHS = "/ ._-+@~(),"
_IN_SPARK_PATHS = "/._-+@~"


def check_folder(folder: Path, *, for_spark: bool = False) -> Path:
    """Return a folder if every library takes its path.

    Args:
        folder: an absolute path.
        for_spark: whether Spark gets the path, too; Java does not take every letter.

    Raises:
        PydanticCustomError: the path has other characters, or is that of a file.
    """
    if folder.exists() and not folder.is_dir():
        raise PydanticCustomError(
            "folder", "must be a folder, but {path} is a file", {"path": printable(str(folder))}
        )
    wrong = dict.fromkeys(character for character in str(folder) if not _fits(character, for_spark))
    if wrong:
        what = "letters a to z, digits" if for_spark else "letters, digits, blanks"
        raise PydanticCustomError(
            "folder",
            "must be a folder whose path has only {what} and {others}, but {path} has {wrong}",
            {
                "what": what,
                "others": (_IN_SPARK_PATHS if for_spark else _IN_PATHS.replace(" ", "")),
                "path": printable(str(folder)),
                "wrong": " ".join("a blank" if each == " " else printable(each) for each in wrong),
            },
        )
    return folder


def _fits(character: str, for_spark: bool) -> bool:
    if for_spark:
        return character in _IN_SPARK_PATHS or (character.isascii() and character.isalnum())
    # A mark belongs to the letter before it.
    return character in _IN_PATHS or unicodedata.category(character)[0] in "LMN"


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
