"""A mail server, a webhook and a receiver of OpenLineage on loopback that record what they receive."""

import email
import json
import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from email import policy
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, LoginPassword

SECRET_PATH = "/services/T0000/B0000/not-for-any-log"


class Mailbox:
    """The mails that arrived, their recipients, and the logins of their senders."""

    def __init__(self) -> None:
        self.mails: list[EmailMessage] = []
        self.recipients: list[list[str]] = []
        self.logins: list[tuple[bytes, bytes]] = []
        self.port = 0

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802 (aiosmtpd's name)
        self.mails.append(email.message_from_bytes(envelope.content, policy=policy.default))
        self.recipients.append(envelope.rcpt_tos)
        return "250 kept"

    def authenticate(self, server: Any, session: Any, envelope: Any, mechanism: str, auth: Any) -> AuthResult:
        assert isinstance(auth, LoginPassword)
        self.logins.append((auth.login, auth.password))
        return AuthResult(success=auth.password == b"right", handled=False)

    def variables(self) -> dict[str, str]:
        """Environment variables that send notifications to this mailbox."""
        return {
            "SLUICE_NOTIFY_EMAIL_TO": "ops@example.org, boss@example.org",
            "SLUICE_NOTIFY_EMAIL_FROM": "sluice@example.org",
            "SLUICE_SMTP_HOST": "127.0.0.1",
            "SLUICE_SMTP_PORT": str(self.port),
            "SLUICE_SMTP_SECURITY": "none",
        }


@contextmanager
def mailbox(tls: ssl.SSLContext | None = None) -> Iterator[Mailbox]:
    """Run a mail server; with a TLS context it requires STARTTLS and a login."""
    box = Mailbox()
    options = {"tls_context": tls, "require_starttls": True, "auth_required": True} if tls else {}
    with socket.create_server(("127.0.0.1", 0)) as probe:
        box.port = probe.getsockname()[1]  # the library does not accept port 0
    server = Controller(
        box, hostname="127.0.0.1", port=box.port, authenticator=box.authenticate if tls else None, **options
    )
    server.start()
    try:
        yield box
    finally:
        server.stop()


class Webhook:
    """The texts that were posted, and the status of the next responses."""

    def __init__(self) -> None:
        self.texts: list[str] = []
        self.status = 200
        self.url = ""

    def variables(self) -> dict[str, str]:
        """Environment variables that send notifications to this webhook."""
        return {"SLUICE_NOTIFY_WEBHOOK_URL": self.url, "NO_PROXY": "*", "no_proxy": "*"}


@contextmanager
def posts_to(take: Callable[[BaseHTTPRequestHandler, bytes], int]) -> Iterator[str]:
    """Run a server that gives each posted body to a function, and answers with the status that it returns; give its address."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:  # noqa: N802 (the library's name)
            status = take(self, self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    # Clients may keep their connections open.
    server.daemon_threads = True
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


@contextmanager
def webhook() -> Iterator[Webhook]:
    """Run a server that accepts `{"text": …}` at one secret path."""
    hook = Webhook()

    def take(request: BaseHTTPRequestHandler, body: bytes) -> int:
        posted = json.loads(body)
        assert request.path == SECRET_PATH
        assert request.headers["Content-Type"] == "application/json"
        assert posted.keys() == {"text"}
        if hook.status == 200:
            hook.texts.append(posted["text"])
        return hook.status

    with posts_to(take) as url:
        hook.url = f"{url}{SECRET_PATH}"
        yield hook


class LineageReceiver:
    """The events that were posted in their order, and the authorization of each."""

    def __init__(self) -> None:
        self.events: list[dict[str, Any]] = []
        self.authorizations: list[str | None] = []
        self.status = 201
        self.url = ""


@contextmanager
def lineage_receiver() -> Iterator[LineageReceiver]:
    """Run a server that accepts events of OpenLineage as its API does."""
    receiver = LineageReceiver()

    def take(request: BaseHTTPRequestHandler, body: bytes) -> int:
        assert request.path == "/api/v1/lineage"
        if receiver.status == 201:
            receiver.events.append(json.loads(body))
            receiver.authorizations.append(request.headers["Authorization"])
        return receiver.status

    with posts_to(take) as receiver.url:
        yield receiver


@contextmanager
def silent_receiver() -> Iterator[str]:
    """Accept connections and never answer; give the address."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"http://127.0.0.1:{server.getsockname()[1]}"
