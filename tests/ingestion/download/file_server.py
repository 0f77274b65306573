"""A file server on loopback, with faults on demand."""

import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

BLOCK = 16 * 1024
# More than any test needs: a client that retries without end fails instead of hanging.
MAX_REQUESTS = 100


@dataclass(frozen=True)
class Served:
    """A file: its bytes, and the headers of every response with it."""

    content: bytes
    headers: dict[str, str]


@dataclass(frozen=True)
class Fault:
    """A fault of one response.

    Attributes:
        status: respond with this status and no file.
        headers: further headers, or other values; None removes one.
        cut_at: close the connection after that many bytes of the body.
        stall_at: send nothing more after that many bytes of the body, and keep the connection.
        length_lie: added to the true length.
        ignores_range: send the whole file to a request for a part.
        as_part: respond with status 206.
        chunked: send it in chunks, without a length.
        then: called before the response begins.
    """

    status: int | None = None
    headers: dict[str, str | None] = field(default_factory=dict)
    cut_at: int | None = None
    stall_at: int | None = None
    length_lie: int = 0
    ignores_range: bool = False
    as_part: bool = False
    chunked: bool = False
    then: Callable[[], None] = lambda: None


@dataclass
class Request:
    """A received request, and the number of bytes of the body of its response."""

    method: str
    target: str
    headers: dict[str, str]
    at: float
    sent: int = 0
    status: int = 0

    @property
    def range(self) -> str | None:
        return self.headers.get("range")


class FileServer:
    """Serves `files`; each response to GET has the next of `faults`, and after them `always`."""

    def __init__(self, port: int) -> None:
        self.base = f"http://127.0.0.1:{port}"
        self.files: dict[str, Served] = {}
        self.faults: list[Fault] = []
        self.always = Fault()
        self.head_fault = Fault()
        self.requests: list[Request] = []
        self.stopped = threading.Event()

    def put(self, name: str, content: bytes, **headers: str) -> str:
        """Publish a file, with an ETag unless other headers are given; return its URL."""
        named = {key.replace("_", "-"): value for key, value in headers.items()}
        self.files[f"/{name}"] = Served(content, named or {"ETag": f'"{hash(content):x}"'})
        return f"{self.base}/{name}"

    def gets(self) -> list[Request]:
        return [request for request in self.requests if request.method == "GET"]

    def ranges(self) -> list[str | None]:
        """Return the Range of every GET."""
        return [request.range for request in self.gets()]

    def sent(self) -> int:
        """Return the number of bytes of all bodies."""
        return sum(request.sent for request in self.requests)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    files: FileServer

    def do_HEAD(self) -> None:
        self._answer(self.files.head_fault)

    def do_GET(self) -> None:
        self._answer(self.files.faults.pop(0) if self.files.faults else self.files.always)

    def _answer(self, fault: Fault) -> None:
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.request_log = Request(self.command, self.path, headers, time.monotonic())
        self.files.requests.append(self.request_log)
        if len(self.files.requests) > MAX_REQUESTS:
            fault = Fault(status=410)
        fault.then()
        served = self.files.files.get(urlsplit(self.path).path)
        if fault.status or not served:
            self._begin(fault.status or 404, {"Content-Length": "0"} | fault.headers)
            return
        start = 0 if fault.ignores_range else self._start(served)
        total = len(served.content)
        if start >= total > 0:
            self._begin(416, {"Content-Length": "0", "Content-Range": f"bytes */{total}"})
            return
        described = served.headers | {"Content-Length": str(total - start + fault.length_lie)}
        if start:
            described["Content-Range"] = f"bytes {start}-{total - 1}/{total}"
        if fault.chunked:
            described |= {"Content-Length": None, "Transfer-Encoding": "chunked"}
        self._begin(206 if start or fault.as_part else 200, described | fault.headers)
        if self.command == "GET":
            self._send(served.content[start:], fault)

    def _start(self, served: Served) -> int:
        """Return the first requested byte; 0 also if the condition of If-Range does not hold."""
        asked = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
        condition = self.headers.get("If-Range")
        holds = condition in (None, served.headers.get("ETag"), served.headers.get("Last-Modified"))
        return int(asked[1]) if asked and holds else 0

    def _begin(self, status: int, headers: dict[str, str | None]) -> None:
        self.request_log.status = status
        self.send_response(status)
        for name, value in headers.items():
            if value is not None:
                self.send_header(name, value)
        self.end_headers()

    def _send(self, body: bytes, fault: Fault) -> None:
        stop = min([len(body), *(at for at in (fault.cut_at, fault.stall_at) if at is not None)])
        try:
            for at in range(0, stop, BLOCK):
                block = body[at : min(at + BLOCK, stop)]
                self.wfile.write(b"%x\r\n%b\r\n" % (len(block), block) if fault.chunked else block)
                self.request_log.sent += len(block)
            if fault.chunked and stop == len(body):
                self.wfile.write(b"0\r\n\r\n")
        except OSError:
            pass  # the client has gone
        if fault.stall_at is not None:
            self.files.stopped.wait(30)
        self.close_connection = True

    def log_message(self, *_: object) -> None:
        """Log nothing: `requests` has it."""


@contextmanager
def serving() -> Iterator[FileServer]:
    """Serve on a free port until the block ends."""
    handler = type("Handler", (_Handler,), {})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    server.block_on_close = False
    handler.files = FileServer(server.server_port)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield handler.files
    finally:
        handler.files.stopped.set()
        server.shutdown()
        server.server_close()
        thread.join()
