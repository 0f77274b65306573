"""Notifications of runs: one message per run, by e-mail, to a webhook like Slack's, and to any service that apprise knows.

Each channel is used if it is configured (see docs/notifications.md). They do not use Airflow's providers, because a run in a shell notifies the same people, and because Airflow would log the address of the webhook,
which is a secret.
"""

import html
import json
import logging
import re
import smtplib
import ssl
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.message import EmailMessage
from email.utils import make_msgid
from http.client import HTTPException
from pathlib import Path
from urllib.error import HTTPError, URLError

import duckdb

from observability.metrics.record import RunResult
from observability.metrics.summary import published_counts
from publishing.readers import published_at
from publishing.store import store_of
from settings import Settings
from transformation.manifest import ManifestError, read_manifest
from warehouse import WarehouseError

# Per channel; a run ends after its message was sent.
TIMEOUT_SECONDS = 10.0
# Webhooks reject long texts, and people do not read them.
ERRORS_SHOWN = 10


@dataclass(frozen=True)
class Message:
    """A message: the most important line, further lines, and the pipeline that it is about."""

    subject: str
    lines: Sequence[str]
    pipeline: str = ""

    @property
    def text(self) -> str:
        """Subject and lines."""
        return "\n".join([self.subject, *self.lines])


@dataclass(frozen=True)
class Delivery:
    """The channels by which a message was sent, and why others failed (without addresses and passwords)."""

    channels: tuple[str, ...] = ()
    failed: Mapping[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        if not self.channels and not self.failed:
            return "no recipients"
        sent = [f"sent by {channel}" for channel in self.channels]
        return "; ".join(
            sent + [f"not sent by {channel}: {reason}" for channel, reason in self.failed.items()]
        )


def notify(result: RunResult, settings: Settings, *, links: Mapping[str, str] | None = None) -> Delivery:
    """Notify of the end of a run: of a failure always, of a success if the settings say so, of a skipped run never.

    Raises nothing: failures are in the return value.

    Args:
        result: the run.
        settings: recipients and channels.
        links: URLs to add to the message, by label.
    """
    if result.status == "skipped" or (result.status == "success" and not settings.notify_success):
        return Delivery()
    return send(message_of(result, settings, links=links), settings)


def message_of(result: RunResult, settings: Settings, *, links: Mapping[str, str] | None = None) -> Message:
    """Return the message about a run: status, rows, failures, what is published now, and links."""
    lines = [f"run: {result.run_id}", _rows(result)]
    if result.failed_tasks:
        lines.append(f"failed: {', '.join(result.failed_tasks)}")
    errors = [f"{stage['stage']}: {stage['error']}" for stage in result.stages if stage["error"]]
    lines += errors[:ERRORS_SHOWN]
    if len(errors) > ERRORS_SHOWN:
        lines.append(f"… and {len(errors) - ERRORS_SHOWN} more errors")
    lines.append(_published(result.domain, settings))
    links = dict(links or {})
    if settings.reports(result.domain).exists():
        links["reports"] = settings.reports(result.domain).as_uri()
    lines += [f"{what}: {where}" for what, where in links.items()]
    return Message(f"{result.domain} {result.status} ({settings.env})", lines, result.domain)


def trial_message(domain: str, settings: Settings) -> Message:
    """Return a message that tests the notifications."""
    return Message(
        f"{domain} test ({settings.env})",
        ["run: none, this is a test", _published(domain, settings)],
        domain,
    )


def send(message: Message, settings: Settings) -> Delivery:
    """Send a message by every channel that is configured; a failure of one does not stop the other."""
    channels: dict[str, Callable[[Message], None]] = {}
    if settings.notify_email_to and "email" in settings.notify:
        channels["email"] = lambda message: _send_mail(message, settings)
    if (url := settings.notify_webhook_url) and "webhook" in settings.notify:
        channels["webhook"] = lambda message: _call_webhook(message, url.get_secret_value())
    if (services := settings.notify_services) and "services" in settings.notify:
        channels["services"] = lambda message: _call_services(message, services, settings)
    sent, failed = [], {}
    for name, deliver in channels.items():
        try:
            deliver(message)
        except HTTPError as error:
            failed[name] = f"the server responded {error.code}"
        except smtplib.SMTPResponseException as error:
            failed[name] = f"the server responded {error.smtp_code}"
        except ServiceError as error:
            failed[name] = str(error)
        # Only the type of the error, because its text may contain an address or the message.
        except (OSError, HTTPException, ValueError) as error:
            failed[name] = type(error.reason if isinstance(error, URLError) else error).__name__
        else:
            sent.append(name)
    return Delivery(tuple(sent), failed)


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
    server: smtplib.SMTP
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
    # Slack interprets &, < and >, but no quotes.
    text = html.escape(message.text, quote=False)
    request = urllib.request.Request(
        url, data=json.dumps({"text": text}).encode(), headers={"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS):
        pass


class ServiceError(RuntimeError):
    """A service has not taken a message; the text has no address."""


def _call_services(message: Message, file: Path, settings: Settings) -> None:
    """Send to the services of apprise's configuration that have the pipeline, its owner or `always` as a tag."""
    # Imported now: it takes as long as a short command.
    import apprise

    # It logs addresses, which hold tokens.
    logging.getLogger("apprise").setLevel(logging.CRITICAL + 1)
    services = apprise.Apprise()
    if not file.is_file() or not services.add(apprise.AppriseConfig(str(file))) or not len(services):
        raise ServiceError(f"{file} has no service that apprise knows")
    result = services.notify(
        title=f"[Sluice] {message.subject}", body=message.text, tag=service_tags(message.pipeline, settings)
    )
    fine = (apprise.AppriseResultStatus.SUCCESS, apprise.AppriseResultStatus.NOMATCH)
    if result.status not in fine:
        raise ServiceError("a service has not taken it")


def service_tags(pipeline: str, settings: Settings) -> list[str]:
    """Return the tags of the services that are to know of a pipeline: its name, and its owner's as a word.

    Those with apprise's own tag `always` know of every one.
    """
    try:
        owner = read_manifest(settings.manifest).owner(pipeline)
    except ManifestError:
        owner = ""
    return [tag for tag in (pipeline, re.sub(r"\W+", "-", owner.lower()).strip("-")) if tag]


def _rows(result: RunResult) -> str:
    counts = {"read": result.rows_in, "rejected": result.rows_rejected}
    if result.published:
        counts |= {"quarantined": result.rows_quarantined, "published": result.rows_out}
    known = [f"{count:,} {what}" for what, count in counts.items() if count is not None]
    return f"rows: {', '.join(known) or 'none'}"


def _published(domain: str, settings: Settings) -> str:
    at = published_at(domain, settings)
    if at is None:
        return "published now: nothing"
    where = store_of(domain, settings).location
    try:
        rows = published_counts(domain, settings)["rows_published"]
    except (duckdb.Error, WarehouseError) as error:
        return f"published now: {where}, which is unreadable ({type(error).__name__})"
    return f"published now: {rows:,} rows of {at:%Y-%m-%d %H:%M} UTC, {where}"
