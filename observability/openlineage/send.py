"""Sends events to a receiver, or appends them to a file, within a limit of time and without an error."""

import logging
import queue
import threading
import time
from collections.abc import Sequence
from pathlib import Path

from openlineage.client.transport.file import FileConfig, FileTransport
from openlineage.client.transport.http import ApiKeyTokenProvider, HttpConfig, HttpTransport, TokenProvider
from openlineage.client.transport.transport import Transport

from observability.openlineage.events import Event
from settings import OpenLineage

# Of a whole run. The client limits each request alone, and its asynchronous transport keeps a process from ending while
# a name is resolved.
LIMIT_SECONDS = 1.8
# A receiver that takes 50 ms for an event has 100 of them in less than a second.
CONNECTIONS = 8

log = logging.getLogger(__name__)


def send(groups: Sequence[Sequence[Event]], access: OpenLineage) -> None:
    """Send events until one fails or the time is over; then a warning says how many were not sent.

    Args:
        groups: the events; those of a group are sent in their order, since a run starts before it ends.
        access: where to, and with which key.
    """
    sending = _Sending(groups)
    count = sum(map(len, groups))
    deadline = time.monotonic() + LIMIT_SECONDS
    # Daemons: what one of them still waits for ends with the process.
    threads = [
        threading.Thread(target=sending.run, args=[_transport(access)], daemon=True)
        for _ in range(CONNECTIONS if access.is_http else 1)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(max(0.0, deadline - time.monotonic()))
    sending.stopped.set()
    if sending.sent == count:
        log.info("%d events were sent to OpenLineage", count)
    else:
        reason = sending.error or f"no time was left after {LIMIT_SECONDS:g} s"
        log.warning(
            "SLUICE_OPENLINEAGE_URL: %d of %d events were not sent: %s", count - sending.sent, count, reason
        )


class _Sending:
    """What several threads send together."""

    def __init__(self, groups: Sequence[Sequence[Event]]) -> None:
        self._groups: queue.SimpleQueue[Sequence[Event]] = queue.SimpleQueue()
        for group in groups:
            self._groups.put(group)
        self._lock = threading.Lock()
        self.sent = 0
        self.error = ""
        self.stopped = threading.Event()

    def run(self, transport: Transport) -> None:
        try:
            while True:
                for event in self._groups.get_nowait():
                    if self.stopped.is_set():
                        return
                    transport.emit(event)
                    with self._lock:
                        self.sent += 1
        except queue.Empty:
            return
        # Only the type of the error, because its text may contain the address.
        except Exception as error:
            self.error = type(error).__name__
            self.stopped.set()


def _transport(access: OpenLineage) -> Transport:
    if not access.is_http:
        path = Path(access.url)
        path.parent.mkdir(parents=True, exist_ok=True)
        return FileTransport(FileConfig(str(path), append=True))
    key = access.api_key.get_secret_value() if access.api_key else None
    return HttpTransport(
        HttpConfig(
            # The client takes what follows the last slash away.
            f"{access.url}/",
            timeout=LIMIT_SECONDS,
            auth=ApiKeyTokenProvider({"api_key": key}) if key else TokenProvider({}),
            retry={"total": 0},
        )
    )
