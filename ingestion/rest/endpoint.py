"""What an API offers of a domain."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from ingestion.feeds import UnknownPartitionError
from settings import Api

Row = Mapping[str, str | None]


class Read(Protocol):
    """Reads pages of records, as they stand in the API's answers.

    Args:
        api: its address and secret.
        since: read the changes from this time on; None for all there are.
        patience: `timeout`, `tries` and `first_wait` of `ApiClient`.

    Raises:
        ApiError: it cannot be read to the end.
    """

    def __call__(self, api: Api, since: str | None, **patience: float) -> Iterator[list[Any]]: ...  # noqa: D102


@dataclass(frozen=True)
class Endpoint:
    """Records of one kind, of which `raw_<domain>.<entity>` has the latest version, by their ids.

    Attributes:
        domain: the pipeline.
        entity: the raw table.
        api: name of the API in the settings.
        columns: the fields that are known, in snake_case; the raw table has them in any case.
        identify: what a row (text by column) is known by; None if it has no such thing.
        read: gets them from the API.
        cursor: the column with the time of a record's last change.
    """

    domain: str
    entity: str
    api: str
    columns: tuple[str, ...]
    identify: Callable[[Row], str | None]
    read: Read
    cursor: str
    optional: tuple[str, ...] = ()
    partition: None = None
    # The raw column whose value says which rows a load replaces.
    replaced_by: str = "_row_id"

    @property
    def source_file(self) -> str:
        """The name under which the raw tables know the API."""
        return f"{self.entity}.api"

    def check_partitions(self, partitions: Iterable[str]) -> None:
        """Say that there are no parts, such as months, that could be loaded by themselves.

        Raises:
            UnknownPartitionError: always.
        """
        raise UnknownPartitionError(f"{self.domain} has {self.entity} of an API, and no files of them")
