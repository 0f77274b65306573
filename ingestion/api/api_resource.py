"""The declaration of the records that an API provides for one raw table."""

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from ingestion.api.errors import Unread
from ingestion.api.settings import ApiSettings
from ingestion.retry_policy import RetryPolicy
from settings import Settings

Row = Mapping[str, str | None]


class ReadPages(Protocol):
    """Reads pages of the records that changed since a time, of all records if it is None; first what is `unread`.

    Raises:
        SourceApiError: the API cannot be read to the end.
        PartialReadError: after the last page, if the API does not give all records, or not today.
    """

    def __call__(  # noqa: D102
        self, settings: Settings, since: str | None, policy: RetryPolicy, unread: Unread | None = None
    ) -> Iterator[list[Any]]: ...


def accept(row: Row) -> str | None:
    """Accept every row."""
    return None


@dataclass(frozen=True)
class ApiResource:
    """Records of one kind; `raw_<domain>.<entity>` holds the latest version of each.

    Attributes:
        domain: the pipeline.
        entity: the raw table.
        settings: address and secret of the API.
        columns: the known fields, in snake_case; names, or descriptions by name. The raw table always has them.
        personal: the columns about persons, see `docs/lineage.md`.
        identify: returns what identifies a row, or None if the row has no such value.
        read: reads the records from the API.
        cursor: the column with the time of a record's last change.
        reject: returns why a row is not a record of this kind, such as a placeholder; None if it is.
        is_optional: whether the domain is loaded without it if the address of the API is not set.
        adds_to_files: whether files are loaded into the raw table, too. A load of the domain then leaves the API out, as if
            it were not declared, if its address is not set.
    """

    domain: str
    entity: str
    settings: type[ApiSettings]
    columns: Collection[str]
    identify: Callable[[Row], str | None]
    read: ReadPages
    cursor: str
    reject: Callable[[Row], str | None] = accept
    is_optional: bool = False
    adds_to_files: bool = False
    optional: Collection[str] = ()
    personal: tuple[str, ...] = ()
    partition: None = None
    # The raw column whose value says which rows a load replaces.
    replaced_by: str = "_row_id"

    @property
    def name(self) -> str:
        """What a load is asked for by; files have the name of the entity."""
        return f"{self.entity}_api" if self.adds_to_files else self.entity

    @property
    def is_used(self) -> bool:
        """Whether a load of the domain includes the API. Raises SettingsError if a variable of the API is invalid."""
        return not self.adds_to_files or bool(self.settings().api_url)

    @property
    def source_file(self) -> str:
        """The name of the API in `_source_file`."""
        return f"{self.entity}.api"
