"""Notifications of runs, received by a real mail server and a real webhook."""

import json
import ssl
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler
from ipaddress import ip_address
from pathlib import Path

import duckdb
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

import settings as project_settings
from cli.main import main
from observability.metrics.record import RunResult, record, run_result
from observability.metrics.run_log import stage
from observability.notify import Message, message_of, notify, send, service_tags, trial_message
from settings import PROJECT_DIR, Settings, SettingsError
from tests.parsed import Parsed
from tests.receivers import SECRET_PATH, Mailbox, Webhook, mailbox, posts_to, webhook
from tests.sluice import SLUICE


@pytest.fixture
def box() -> Iterator[Mailbox]:
    with mailbox() as box:
        yield box


@pytest.fixture
def hook() -> Iterator[Webhook]:
    with webhook() as hook:
        yield hook


@pytest.fixture
def notified(settings: Settings, box: Mailbox, hook: Webhook, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Settings with both channels, and an earlier publication of two rows."""
    for name, value in (box.variables() | hook.variables()).items():
        monkeypatch.setenv(name, value)
    path = settings.published("collisions")
    path.parent.mkdir(parents=True)
    with duckdb.connect(str(path)) as published:
        published.execute("create schema marts")
        published.execute(
            "create table marts.audit_collisions__row_counts as select 5 as rows_read, 1 as rows_rejected, "
            "2 as rows_quarantined, 0 as rows_superseded, 2 as rows_clean from range(2)"
        )
    return project_settings.load()


def run(settings: Settings, *, failing: str | None = None, run_id: str = "shell__1") -> None:
    """Record the stages of a run; one of them may fail."""
    for name, counts in {"ingest_crashes": (10, 8, 2), "build": (None,) * 3, "publish": (10, 6, 3)}.items():
        try:
            with stage("collisions", run_id, name, settings) as metrics:
                metrics.rows_in, metrics.rows_out, metrics.rows_failed = counts
                if name == failing:
                    raise RuntimeError(f"dbt says:\n\n<{name}> & co did not work, password=hunter2")
        except RuntimeError:
            return


def result_of(settings: Settings, **options) -> RunResult:
    run(settings, **options)
    return run_result("collisions", "shell__1", settings)


def test_a_failure_is_sent_by_both_channels(notified: Settings, box: Mailbox, hook: Webhook) -> None:
    run(notified, failing="build")
    failed = run_result("collisions", "shell__1", notified, failed=["transform.a", "transform.b"])
    sent = notify(failed, notified, links={"Airflow": "http://127.0.0.1:8080/dags/collisions"})
    assert (sent.channels, sent.failed) == (("email", "webhook"), {})
    (mail,), (text,) = box.mails, hook.texts
    assert mail["Subject"] == "[Sluice] collisions failed (dev)"
    assert mail["From"] == "sluice@example.org"
    assert box.recipients == [["ops@example.org", "boss@example.org"]]
    published = notified.published("collisions")
    at = datetime.fromtimestamp(published.stat().st_mtime, UTC)
    expected = [
        "collisions failed (dev)",
        "run: shell__1",
        "rows: 10 read, 2 rejected",
        "failed: transform.a, transform.b",
        "build: dbt says: … <build> & co did not work, password=***",
        f"published now: 2 rows of {at:%Y-%m-%d %H:%M} UTC, {published}",
        "Airflow: http://127.0.0.1:8080/dags/collisions",
    ]
    assert mail.get_content().splitlines() == expected
    assert text.splitlines() == [line.replace("<build> &", "&lt;build&gt; &amp;") for line in expected]


def test_a_success_is_sent_if_configured_and_a_skipped_run_never(
    notified: Settings, box: Mailbox, hook: Webhook, monkeypatch: pytest.MonkeyPatch
) -> None:
    skipped = run_result("collisions", "nothing ran", notified)
    assert skipped.status == "skipped"
    succeeded = result_of(notified)
    assert notify(succeeded, notified).channels == ()
    assert box.mails == hook.texts == []
    monkeypatch.setenv("SLUICE_NOTIFY_SUCCESS", "1")
    asked = project_settings.load()
    notified.reports("collisions").mkdir(parents=True)
    assert notify(skipped, asked).channels == ()
    assert notify(succeeded, asked).channels == ("email", "webhook")
    (text,) = hook.texts
    assert box.mails[0].get_content().splitlines() == text.splitlines()
    assert text.splitlines()[0] == "collisions success (dev)"
    assert "rows: 10 read, 2 rejected, 3 quarantined, 6 published" in text
    assert text.endswith(f"reports: file://{notified.reports('collisions')}")


def test_a_failed_channel_stops_neither_the_run_nor_the_other_channel(
    notified: Settings, box: Mailbox, hook: Webhook
) -> None:
    hook.status = 500
    sent = notify(result_of(notified, failing="publish"), notified)
    assert str(sent) == "sent by email; not sent by webhook: the server responded 500"
    assert len(box.mails) == 1


def test_an_unreachable_server_raises_nothing_and_shows_no_secret(
    notified: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SLUICE_SMTP_PORT", "1")
    monkeypatch.setenv("SLUICE_NOTIFY_WEBHOOK_URL", f"http://127.0.0.1:1{SECRET_PATH}")
    unreachable = project_settings.load()
    sent = send(trial_message("collisions", unreachable), unreachable)
    assert sent.failed == {"email": "ConnectionRefusedError", "webhook": "ConnectionRefusedError"}
    assert SECRET_PATH not in str(sent) + repr(unreachable)


def test_only_configured_channels_are_used(
    notified: Settings, hook: Webhook, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SLUICE_NOTIFY_EMAIL_TO")
    assert send(trial_message("collisions", notified), project_settings.load()).channels == ("webhook",)
    monkeypatch.delenv("SLUICE_NOTIFY_WEBHOOK_URL")
    assert str(send(trial_message("collisions", notified), project_settings.load())) == "no recipients"


def test_an_unreadable_publication_is_reported(notified: Settings) -> None:
    path = notified.published("collisions")
    path.write_text("not a database")
    text = message_of(result_of(notified, failing="publish"), notified).text
    assert f"published now: {path}, which is unreadable (IOException)" in text


def test_many_errors_are_truncated(notified: Settings) -> None:
    for number in range(13):
        with pytest.raises(RuntimeError), stage("collisions", "many", f"ingest_{number:02}", notified):
            raise RuntimeError("bad")
    lines = message_of(run_result("collisions", "many", notified), notified).lines
    assert [line for line in lines if line.startswith("ingest_")][-1] == "ingest_09: bad"
    assert "… and 3 more errors" in lines


def test_services_get_the_messages_of_their_pipelines_and_owners(
    notified: Settings, project: Parsed, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    project.put(notified)
    assert service_tags("collisions", notified) == ["collisions", "road-safety-team"]
    with services() as (url, bodies):
        file = tmp_path / "services.yml"
        tags = {
            "pipeline": "collisions",
            "owner": "road-safety-team",
            "everything": "always",
            "other": "taxi",
        }
        lines = [f"  - {url}/{SECRET}/{name}:\n      tag: {tag}" for name, tag in tags.items()]
        file.write_text("\n".join(["urls:", *lines]))
        own = notified.model_copy(update={"notify_services": file})
        delivery = send(Message("collisions failed (dev)", ["why"], "collisions"), own)
        assert (delivery.channels, delivery.failed) == (("email", "webhook", "services"), {})
        assert sorted(path.rpartition("/")[2] for path in bodies) == ["everything", "owner", "pipeline"]
        assert {body["title"] for body in bodies.values()} == {"[Sluice] collisions failed (dev)"}
        assert {body["message"] for body in bodies.values()} == {"collisions failed (dev)\nwhy"}
        bodies.clear()
        send(Message("nobody's", [], "sales"), own)
        assert [path.rpartition("/")[2] for path in bodies] == ["everything"]
        file.write_text(f"urls:\n  - {url}/{SECRET}/refused:\n      tag: always")
        refused = send(Message("collisions failed (dev)", [], "collisions"), own)
        assert dict(refused.failed) == {"services": "a service has not taken it"}
        file.write_text("urls: [nothing]")
        unknown = send(Message("collisions failed (dev)", [], "collisions"), own)
        assert dict(unknown.failed) == {"services": f"{file} has no service that apprise knows"}
    assert SECRET not in caplog.text + str(refused) + str(unknown)


SECRET = "not-for-any-log"


@contextmanager
def services() -> Iterator[tuple[str, dict[str, dict]]]:
    """A server that takes apprise's JSON, by path; one path is refused."""
    bodies: dict[str, dict] = {}

    def take(request: BaseHTTPRequestHandler, body: bytes) -> int:
        if request.path.endswith("/refused"):
            return 500
        bodies[request.path] = json.loads(body)
        return 200

    with posts_to(take) as url:
        yield url.replace("http:", "json:"), bodies


def test_the_command_sends_the_last_run_again_or_a_test(
    notified: Settings, hook: Webhook, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert main(["notify", "collisions"]) == 2
    assert "no run of collisions is recorded" in capsys.readouterr().err
    assert main(["notify", "collisions", "--test"]) == 0
    run(notified)
    record("collisions", notified, "shell__1")
    run(notified, run_id="shell__2", failing="build")
    before = run_result("collisions", "shell__2", notified)
    record("collisions", notified, "shell__2")
    assert main(["notify", "collisions", "--json"]) == 0
    printed = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert printed["channels"] == ["email", "webhook"]
    assert printed["text"] == message_of(before, notified).text
    assert [text.splitlines()[0] for text in hook.texts] == [
        "collisions test (dev)",
        "collisions failed (dev)",
    ]
    hook.status = 404
    assert main(["notify", "collisions"]) == 1
    assert "not sent by webhook: the server responded 404" in capsys.readouterr().err
    for variable in ("SLUICE_NOTIFY_EMAIL_TO", "SLUICE_NOTIFY_WEBHOOK_URL"):
        monkeypatch.delenv(variable)
    assert main(["notify", "collisions", "--test"]) == 2


def test_a_run_in_a_shell_notifies_of_its_failure(notified: Settings, box: Mailbox, hook: Webhook) -> None:
    notified.landing("collisions").mkdir(parents=True)
    (notified.landing("collisions") / "bad.csv").write_text("nothing,known\n1,2\n")
    command = [*SLUICE, "run", "collisions"]
    done = subprocess.run(
        command,
        cwd=PROJECT_DIR,
        env=notified.environment() | {"NO_PROXY": "*"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 2, done.stderr
    (text,) = hook.texts
    assert text.splitlines() == box.mails[0].get_content().splitlines()
    assert text.startswith("collisions failed (dev)\nrun: shell__")
    assert "ingest_crashes: bad.csv: none of the known columns is in its header: nothing, known" in text
    assert SECRET_PATH not in done.stdout + done.stderr


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """A self-signed certificate of 127.0.0.1, with its key in the same file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder(
            name, name, key.public_key(), x509.random_serial_number(), now, now + timedelta(1)
        )
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path / "certificate.pem"
    pem = serialization.Encoding.PEM
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    path.write_bytes(private + made.public_bytes(pem))
    return path


def test_a_password_is_only_sent_through_tls(
    settings: Settings, certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls.load_cert_chain(certificate)
    with mailbox(tls) as box:
        login = {
            "SLUICE_SMTP_SECURITY": "starttls",
            "SLUICE_SMTP_USER": "me",
            "SLUICE_SMTP_PASSWORD": "right",
        }
        for name, value in (box.variables() | login).items():
            monkeypatch.setenv(name, value)
        secured = project_settings.load()
        message = trial_message("collisions", secured)
        # A server with an untrusted certificate gets neither password nor message.
        assert send(message, secured).failed == {"email": "SSLCertVerificationError"}
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        assert send(message, secured).channels == ("email",)
        assert box.logins == [(b"me", b"right")]
        assert len(box.mails) == 1
        monkeypatch.setenv("SLUICE_SMTP_PASSWORD", "wrong password")
        wrong = project_settings.load()
        assert send(message, wrong).failed == {"email": "the server responded 535"}
    assert "wrong password" not in repr(wrong)
    assert wrong.environment()["SLUICE_SMTP_PASSWORD"] == "wrong password"
    monkeypatch.setenv("SLUICE_SMTP_SECURITY", "none")
    with pytest.raises(SettingsError, match="would send the password"):
        project_settings.load()


@pytest.mark.parametrize(
    ("variable", "text"),
    [
        ("SLUICE_NOTIFY_WEBHOOK_URL", "hooks.example.org/secret"),
        ("SLUICE_NOTIFY_EMAIL_TO", "nobody"),
        ("SLUICE_NOTIFY_EMAIL_FROM", "me"),
        ("SLUICE_SMTP_HOST", ""),
        ("SLUICE_SMTP_PORT", "smtp"),
        ("SLUICE_SMTP_SECURITY", "some"),
    ],
)
def test_an_invalid_setting_is_named(
    box: Mailbox, monkeypatch: pytest.MonkeyPatch, variable: str, text: str
) -> None:
    for name, value in (box.variables() | {variable: text}).items():
        monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError, match=variable) as caught:
        project_settings.load()
    assert "secret" not in str(caught.value)
