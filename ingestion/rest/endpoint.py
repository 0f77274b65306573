"""What an API offers of a domain."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from ingestion.feeds import UnknownPartitionError
from ingestion.load_file import FileResult
from settings import Settings

Row = Mapping[str, str | None]


class Read(Protocol):
    """Reads pages of records, as they stand in the API's answers.

    Args:
        settings: they say where the API is, and what opens it.
        since: read the changes from this time on; None for all there are.
        patience: `timeout`, `tries` and `first_wait` of `ApiClient`.

    Raises:
        ApiError: it cannot be read to the end.
    """

    def __call__(self, settings: Settings, since: str | None, **patience: float) -> Iterator[list[Any]]: ...  # noqa: D102


@dataclass(frozen=True)
class Endpoint:
    """Records of one kind, of which `raw_<domain>.<entity>` has the latest version, by their ids.

    Attributes:
        domain: the pipeline.
        entity: the raw table.
        api: its name in the settings.
        columns: the fields that are known, in snake_case; the raw table has them in any case.
        identify: what a row (text by column) is known by; None if it has no such thing.
        read: gets them from the API.
        cursor: the column with the time of a record's last change.
        is_optional: whether the domain does without, if nobody has said where the API is.
    """

    domain: str
    entity: str
    api: str
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
        """The name under which the raw tables know the API."""
        return f"{self.entity}.api"

    def check_partitions(self, partitions: Iterable[str]) -> None:
        """Say that there are no parts, such as months, that could be loaded by themselves.

        Raises:
            UnknownPartitionError: always.
        """
        raise UnknownPartitionError(f"{self.domain} has {self.entity} of an API, and no files of them")

    def load(self, settings: Settings, *, limit: int | None = None, anew: bool = False) -> FileResult:
        """Load what is new or changed, see `load_endpoint`; an API that cannot be read is a result as well."""
        # Who loads files needs no REST client, whose import takes its time.
        from ingestion.rest.api_client import ApiError
        from ingestion.rest.load_endpoint import load_endpoint

        try:
            return load_endpoint(self, settings, limit=limit)
        except ApiError as error:
            status = "left" if self.is_optional and not settings.apis[self.api].url else "failed"
            return FileResult(self.source_file, self.entity, status, reason=str(error))
