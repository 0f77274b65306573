"""Tells people how a run ended: one message per run, by e-mail and to a webhook that takes what Slack's webhooks take.

Each of the two is on if it is configured (see docs/notifications.md). They use the standard
library and not Airflow's providers, because a run from a shell is to tell the same people, and because nothing here
logs the webhook's address, which is a secret.
"""

import html
import json
import smtplib
import ssl
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.message import EmailMessage
from email.utils import make_msgid
from http.client import HTTPException
from urllib.error import HTTPError, URLError

import duckdb

from observability.metrics.record import RunResult
from observability.metrics.summary import collect
from publishing.readers import published_at
from publishing.store import store_of
from settings import Settings
from warehouse import WarehouseError

# For each of the two; a run does not end before its message is out.
TIMEOUT_SECONDS = 10.0
# The first of a run's errors; webhooks refuse long texts, and people do not read them.
ERRORS_SHOWN = 10


@dataclass(frozen=True)
class Message:
    """What people are told: a line that says what matters, and further lines."""

    subject: str
    lines: Sequence[str]

    @property
    def text(self) -> str:
        """Subject and lines."""
        return "\n".join([self.subject, *self.lines])


@dataclass(frozen=True)
class Sent:
    """The ways by which a message was sent, and why it was not sent by others (without addresses and passwords)."""

    ways: tuple[str, ...] = ()
    failed: Mapping[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        """One line for people."""
        if not self.ways and not self.failed:
            return "nobody to tell"
        told = [f"sent by {way}" for way in self.ways]
        return "; ".join(told + [f"not sent by {way}: {reason}" for way, reason in self.failed.items()])


def notify(outcome: RunResult, settings: Settings, *, links: Mapping[str, str] | None = None) -> Sent:
    """Tell people how a run ended: always of a failure, of a success if the settings say so.

    Nobody is told of a run that was skipped. What goes wrong is in the result; nothing is raised.

    Args:
        outcome: the run.
        settings: whom to tell, and how.
        links: addresses to add to the message, by label.
    """
    if outcome.status == "skipped" or (outcome.status == "success" and not settings.notify_success):
        return Sent()
    return send(message_of(outcome, settings, links=links), settings)


def message_of(outcome: RunResult, settings: Settings, *, links: Mapping[str, str] | None = None) -> Message:
    """The message about a run: status, rows, what failed, what is published now, and where to look."""
    lines = [f"run: {outcome.run_id}", _rows(outcome)]
    if outcome.failed_tasks:
        lines.append(f"failed: {', '.join(outcome.failed_tasks)}")
    errors = [f"{stage['stage']}: {stage['error']}" for stage in outcome.stages if stage["error"]]
    lines += errors[:ERRORS_SHOWN]
    if len(errors) > ERRORS_SHOWN:
        lines.append(f"… and {len(errors) - ERRORS_SHOWN} more errors")
    lines.append(_published(outcome.domain, settings))
    links = dict(links or {})
    if settings.reports(outcome.domain).exists():
        links["reports"] = settings.reports(outcome.domain).as_uri()
    lines += [f"{what}: {where}" for what, where in links.items()]
    return Message(f"{outcome.domain} {outcome.status} ({settings.env})", lines)


def trial_message(domain: str, settings: Settings) -> Message:
    """A message that only shows that messages arrive."""
    return Message(
        f"{domain} test ({settings.env})",
        ["run: none, this is a test of the notifications", _published(domain, settings)],
    )


def send(message: Message, settings: Settings) -> Sent:
    """Send a message in every way that is configured; a failure of one does not stop the other."""
    ways: dict[str, Callable[[Message], None]] = {}
    if settings.notify_email_to and "email" in settings.notify:
        ways["email"] = lambda message: _send_mail(message, settings)
    if (url := settings.notify_webhook_url) and "webhook" in settings.notify:
        ways["webhook"] = lambda message: _call_webhook(message, url.get_secret_value())
    sent, failed = [], {}
    for name, way in ways.items():
        try:
            way(message)
        except HTTPError as error:
            failed[name] = f"the server answered {error.code}"
        except smtplib.SMTPResponseException as error:
            failed[name] = f"the server answered {error.smtp_code}"
        # Only the kind of error, because its text may repeat an address or what was sent.
        except (OSError, HTTPException, ValueError) as error:
            failed[name] = type(error.reason if isinstance(error, URLError) else error).__name__
        else:
            sent.append(name)
    return Sent(tuple(sent), failed)


def _send_mail(message: Message, settings: Settings) -> None:
    smtp, recipients = settings.smtp, settings.notify_email_to
    sender = settings.notify_email_from or recipients[0]
    written = EmailMessage()
    written["Subject"] = f"[Sluice] {message.subject}"
    written["From"] = sender
    written["To"] = ", ".join(recipients)
    written["Date"] = datetime.now(UTC)
    written["Message-ID"] = make_msgid(domain=sender.rpartition("@")[2])
    written.set_content(message.text)
    context = ssl.create_default_context()
    if smtp.security == "ssl":
        server = smtplib.SMTP_SSL(smtp.host, smtp.port, timeout=TIMEOUT_SECONDS, context=context)
    else:
        server = smtplib.SMTP(smtp.host, smtp.port, timeout=TIMEOUT_SECONDS)
    with server:
        if smtp.security == "starttls":
            server.starttls(context=context)
        if smtp.user:
            server.login(smtp.user, smtp.password.get_secret_value() if smtp.password else "")
        server.send_message(written)


def _call_webhook(message: Message, url: str) -> None:
    # Slack gives a meaning to &, < and >, and to no quotes.
    text = html.escape(message.text, quote=False)
    request = urllib.request.Request(
        url, data=json.dumps({"text": text}).encode(), headers={"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS):
        pass


def _rows(outcome: RunResult) -> str:
    counts = {"read": outcome.rows_in, "rejected": outcome.rows_rejected}
    if outcome.published:
        counts |= {"in quarantine": outcome.rows_quarantined, "published": outcome.rows_out}
    known = [f"{count:,} {what}" for what, count in counts.items() if count is not None]
    return f"rows: {', '.join(known) or 'none'}"


def _published(domain: str, settings: Settings) -> str:
    at = published_at(domain, settings)
    if at is None:
        return "published now: nothing"
    where = store_of(domain, settings).location
    try:
        rows = collect(domain, settings)["rows_published"]
    except (duckdb.Error, WarehouseError) as error:
        return f"published now: {where}, which cannot be read ({type(error).__name__})"
    return f"published now: {rows:,} rows of {at:%Y-%m-%d %H:%M} UTC, {where}"
