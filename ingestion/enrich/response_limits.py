"""Ends an endless response of a model's API: httpx limits the wait for each part, but neither their sum nor their number."""

import time
from collections.abc import Callable, Iterator

import httpx

from ingestion.api.settings import ApiLimits


class ResponseLimitError(httpx.ReadError):
    """A response is larger, or took longer, than the limit that the message names."""


def limit_response(limits: ApiLimits) -> Callable[[httpx.Response], None]:
    """Return a hook of httpx for responses, after which reading one raises ResponseLimitError beyond a limit."""

    def limit(response: httpx.Response) -> None:
        assert isinstance(response.stream, httpx.SyncByteStream)
        response.stream = _LimitedStream(response.stream, limits)

    return limit


class _LimitedStream(httpx.SyncByteStream):
    def __init__(self, stream: httpx.SyncByteStream, limits: ApiLimits) -> None:
        self._stream = stream
        self._limits = limits

    def __iter__(self) -> Iterator[bytes]:
        deadline = time.monotonic() + self._limits.request_seconds
        size = 0
        for part in self._stream:
            size += len(part)
            if size > self._limits.max_response_mb * 1024 * 1024:
                raise ResponseLimitError(
                    f"response of more than {self._limits.max_response_mb:,} MB (SLUICE_API_MAX_RESPONSE_MB)"
                )
            if time.monotonic() > deadline:
                raise ResponseLimitError(
                    f"no complete response within {self._limits.request_seconds:,} s (SLUICE_API_REQUEST_SECONDS)"
                )
            yield part

    def close(self) -> None:
        self._stream.close()
