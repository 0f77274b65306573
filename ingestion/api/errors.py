"""Errors of reading an API."""


class SourceApiError(RuntimeError):
    """The API could not be read, and nothing was loaded. The message has its address and the reason, but no secret.

    `code` is the server's own name of the error, if it sent one.
    """

    def __init__(self, message: str, code: str | None = None) -> None:
        super().__init__(message)
        self.code = code


class QuotaExceededError(SourceApiError):
    """No further request may be made today."""


class PartialReadError(Exception):
    """Some records could not be read; all that were read are to be kept. The message gives the reasons."""
