"""The declaration of a bucket, an SFTP server or a folder as the source of files."""

import os
from contextlib import suppress
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

from common.text import first_line


class LocationError(RuntimeError):
    """The URL of remote files is missing or invalid; the message does not have it."""


@dataclass(frozen=True)
class RemoteFiles:
    """Files in a bucket, on an SFTP server or in a folder, which are fetched into the landing folder.

    Those whose name there matches the resource's pattern are fetched. A file in a folder has the folder in its name:
    `2024/05/orders.csv` becomes `2024__05__orders.csv`.

    Attributes:
        location: an environment variable with the URL of the folder, such as `s3://bucket/exports` or
            `sftp://user:password@host/exports`; or the URL itself, if it has no password.
    """

    location: str

    def __post_init__(self) -> None:
        """Check the location.

        Raises:
            ValueError: it is a URL with a password.
        """
        if "://" in self.location and urlsplit(self.location).password:
            raise ValueError("a URL with a password belongs into an environment variable; declare its name")

    @property
    def url(self) -> str:
        """The URL of the folder.

        Raises:
            LocationError: the variable is not set, or is not a URL.
        """
        if "://" in self.location:
            return self.location
        url = os.environ.get(self.location)
        if not url:
            raise LocationError(
                f"{self.location} is not set: the URL of the files, such as s3://bucket/exports"
            )
        if "://" not in url:
            raise LocationError(f"{self.location} is not a URL such as s3://bucket/exports")
        return url

    def without_password(self, error: Exception) -> str:
        """Return what an error says in one line, without the URL and its password."""
        said = first_line(error).replace(self.url, self.location)
        with suppress(ValueError):
            password = urlsplit(self.url).password or ""
            for secret in filter(None, (password, unquote(password))):
                said = said.replace(secret, "…")
        return said
