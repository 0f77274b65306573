"""Errors of reading an API."""

from dataclasses import dataclass


class SourceApiError(RuntimeError):
    """The API could not be read, and nothing was loaded. The message has its address and the reason, but no secret.

    `code` is the server's own name of the error, if it sent one.
    """

    def __init__(self, message: str, code: str | None = None) -> None:
        super().__init__(message)
        self.code = code


class QuotaExceededError(SourceApiError):
    """No further request may be made for now; what was read before is to be kept."""


@dataclass(frozen=True)
class Unread:
    """The times whose records a reading has left for the next one, in ISO 8601; None has no limit.

    Attributes:
        since: the beginning.
        until: the end.
        later: the time from which on later records are unread, too.
        after: the id of the last record of the time `since` that was read, in the order of the API.
    """

    since: str | None = None
    until: str | None = None
    later: str | None = None
    after: str | None = None


class PartialReadError(Exception):
    """Some records could not be read; all that were read are to be kept. The message gives the reasons.

    `unread` has the times with which the next reading is to go on; without it, the next one reads everything.
    """

    def __init__(self, message: str, unread: Unread | None = None) -> None:
        super().__init__(message)
        self.unread = unread
