"""A source of records that comes from an API."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from ingestion.api.settings import ApiSettings
from ingestion.results import LoadResult
from settings import Settings

Row = Mapping[str, str | None]


class IncompleteError(Exception):
    """Some records could not be read; the message says which, and why. All that were read are to be kept."""


class Read(Protocol):
    """Reads pages of records, as the API's answers have them.

    Args:
        settings: have the address of the API and its secret.
        since: read the changes from this time on; None for all records.
        patience: `timeout`, `tries` and `first_wait` of `ApiClient`.

    Raises:
        ApiError: the API cannot be read to the end.
        IncompleteError: after the last page; the API does not give all records, or not today.
    """

    def __call__(self, settings: Settings, since: str | None, **patience: float) -> Iterator[list[Any]]: ...  # noqa: D102


@dataclass(frozen=True)
class ApiResource:
    """Records of one kind; `raw_<domain>.<entity>` has the latest version of each.

    Attributes:
        domain: the pipeline.
        entity: the raw table.
        settings: address and secret of the API.
        columns: the fields that are known, in snake_case; the raw table has them in any case.
        identify: gives what identifies a row (text by column); None if the row has no such value.
        read: reads the records from the API.
        cursor: the column with the time of a record's last change.
        is_optional: whether the domain runs without it where the address of the API is not set.
    """

    domain: str
    entity: str
    settings: type[ApiSettings]
    columns: tuple[str, ...]
    identify: Callable[[Row], str | None]
    read: Read
    cursor: str
    is_optional: bool = False
    optional: tuple[str, ...] = ()
    partition: None = None
    # The raw column whose value says which rows a load replaces.
    replaced_by: str = "_row_id"

    @property
    def source_file(self) -> str:
        """The name that stands for the API where the raw tables name a file."""
        return f"{self.entity}.api"

    def load(self, settings: Settings, *, limit: int | None = None, anew: bool = False) -> LoadResult:
        """Load what is new or changed, see `load_api`; an API that cannot be read is reported in the result."""
        # Imported only where an API is read, because the import is slow.
        from ingestion.api.client import ApiError
        from ingestion.api.load_api import load_api

        try:
            return load_api(self, settings, limit=limit)
        except ApiError as error:
            status = "deferred" if self.is_optional and not self.settings().api_url else "failed"
            return LoadResult(self.source_file, self.entity, status, reason=str(error))
