"""The timeouts and retries of requests. Declarations import it, so it imports no HTTP library."""

from dataclasses import dataclass


@dataclass(frozen=True)
class RetryPolicy:
    """How long to wait for a response, and how often to try.

    Attributes:
        timeout: seconds without a byte after which a connection is closed.
        attempts: number of attempts in a row without progress.
        first_wait: seconds before the second attempt; they double with every further attempt.
    """

    timeout: float = 30.0
    attempts: int = 6
    first_wait: float = 1.0
