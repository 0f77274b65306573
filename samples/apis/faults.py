"""Faults of the sample APIs' answers, on demand."""

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send


@dataclass(frozen=True)
class Fault:
    """What goes wrong with one answer.

    Attributes:
        status: answer with this status and an error as JSON.
        headers: of that answer.
        seconds: wait that long before the answer.
        stall: never answer.
        cut: close the connection in the middle of the body.
        malformed: leave off the second half of the body, as if that were all of it.
        body: answer with this body.
        edit: makes the body of the answer from the right one.
        then: called before the answer is made.
    """

    status: int | None = None
    headers: dict[str, str] = field(default_factory=dict)
    seconds: float = 0.0
    stall: bool = False
    cut: bool = False
    malformed: bool = False
    body: bytes | None = None
    edit: Callable[[bytes], bytes] = lambda body: body
    then: Callable[[], None] = lambda: None


# The faults by the names that people use.
KINDS = {
    "429": Fault(status=429, headers={"Retry-After": "1"}),
    "500": Fault(status=500),
    "401": Fault(status=401),
    "403": Fault(status=403),
    "404": Fault(status=404),
    "stall": Fault(stall=True),
    "cut": Fault(cut=True),
    "malformed": Fault(malformed=True),
}
Edit = Callable[[Any], None]


def edited(edit: Edit) -> Fault:
    """An answer whose JSON is changed in place."""

    def change(body: bytes) -> bytes:
        content = json.loads(body)
        edit(content)
        return json.dumps(content).encode()

    return Fault(edit=change)


@dataclass(frozen=True)
class Request:
    """A request as it arrived; header names in lower case."""

    path: str
    query: str
    headers: dict[str, str]


@dataclass
class Faults:
    """The faults of a server: for each answer the next one of `coming`, and `always` when they are used up.

    `None` is an answer without a fault. `requests` are all that arrived; after `most` of them the server refuses.
    """

    coming: list[Fault | None] = field(default_factory=list)
    always: Fault | None = None
    requests: list[Request] = field(default_factory=list)
    # A client that never stops asking is to fail, not to hang.
    most: int = 2000

    def next(self) -> Fault:
        """The fault of the next answer."""
        if len(self.requests) > self.most:
            return Fault(status=410)
        return (self.coming.pop(0) if self.coming else self.always) or Fault()


class FaultyAnswers:
    """Middleware that applies faults to the answers of an app."""

    def __init__(self, app: ASGIApp, faults: Faults) -> None:
        self._app = app
        self._faults = faults

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        headers = {name.decode().lower(): value.decode() for name, value in scope["headers"]}
        self._faults.requests.append(Request(scope["path"], scope["query_string"].decode(), headers))
        fault = self._faults.next()
        fault.then()
        if fault.stall:
            while (await receive())["type"] != "http.disconnect":
                pass
            return
        await asyncio.sleep(fault.seconds)
        if fault.status:
            extra = [(name.lower().encode(), value.encode()) for name, value in fault.headers.items()]
            body = b'{"detail": "as it was ordered"}' if fault.body is None else fault.body
            await _answer(send, fault.status, extra, body)
            return
        messages: list[Message] = []

        async def keep(message: Message) -> None:
            messages.append(message)

        await self._app(scope, receive, keep)
        start, body = messages[0], b"".join(message.get("body", b"") for message in messages[1:])
        body = fault.edit(body) if fault.body is None else fault.body
        length = len(body)
        if fault.cut or fault.malformed:
            body = body[: length // 2]
        kept = [(name, value) for name, value in start["headers"] if name != b"content-length"]
        await _answer(send, start["status"], kept, body, length if fault.cut else None)


async def _answer(
    send: Send, status: int, headers: list[tuple[bytes, bytes]], body: bytes, length: Any = None
) -> None:
    said = (b"content-length", str(len(body) if length is None else length).encode())
    await send({"type": "http.response.start", "status": status, "headers": [*headers, said]})
    # After a body shorter than announced, the server closes the connection.
    await send({"type": "http.response.body", "body": body})
