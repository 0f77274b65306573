"""Transfers that stall, are cut or refused are retried, and resume."""

import base64
import logging
import time
import traceback
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import pytest

from ingestion.download.download import Download, DownloadError, NotYetAvailableError
from ingestion.files.landing import list_deliveries
from tests.ingestion.download.file_server import Fault, FileServer, serving
from tests.ingestion.download.helpers import ATTEMPTS, BEFORE, CONTENT, HALF, contents, fails, fetch, hidden

SECRET = "s3cret"


def test_folder_has_only_the_complete_file(server: FileServer, folder: Path) -> None:
    url = server.put("a%20b.csv", CONTENT)
    assert fetch(url, folder) == Download(folder / "a b.csv", "downloaded", len(CONTENT))
    assert contents(folder) == {"a b.csv": CONTENT}
    assert hidden(folder) == {".a b.csv.source.json"}
    assert list_deliveries(folder) == [folder / "a b.csv"]
    assert server.gets()[0].headers["accept-encoding"] == "identity"


@pytest.mark.parametrize("fault", [Fault(stall_at=HALF), Fault(cut_at=HALF)], ids=["stalled", "cut"])
@pytest.mark.parametrize("headers", [{"ETag": '"1"'}, {"ETag": 'W/"1"', "Last_Modified": BEFORE}])
def test_interrupted_transfer_is_resumed(
    fault: Fault, headers: dict[str, str], server: FileServer, folder: Path
) -> None:
    url = server.put("a.csv", CONTENT, **headers)
    server.faults = [fault]
    fetch(url, folder, timeout=0.3)
    assert contents(folder) == {"a.csv": CONTENT}
    assert server.ranges() == [None, f"bytes={HALF}-"]
    assert server.gets()[1].headers["if-range"] == headers.get("Last_Modified", headers["ETag"])
    assert server.sent() < 2 * len(CONTENT)


def test_attempts_with_progress_do_not_count(server: FileServer, folder: Path) -> None:
    url = server.put("a.csv", CONTENT)
    server.faults = [Fault(cut_at=40_000)] * 9
    fetch(url, folder)
    assert contents(folder) == {"a.csv": CONTENT}
    assert server.sent() == len(CONTENT)


def test_attempts_that_repeat_bytes_count(server: FileServer, folder: Path) -> None:
    url = server.put("a.csv", CONTENT)
    server.always = Fault(cut_at=HALF, ignores_range=True)
    assert f"the connection was closed early after {HALF} of {len(CONTENT)} bytes" in fails(url, folder)
    assert len(server.gets()) == 1 + ATTEMPTS


def test_server_error_is_retried(server: FileServer, folder: Path) -> None:
    url = server.put("a.csv", CONTENT)
    server.faults = [Fault(status=500), Fault(status=500)]
    fetch(url, folder)
    assert contents(folder) == {"a.csv": CONTENT}
    assert [request.status for request in server.requests] == [500, 500, 200]


def test_retries_end_after_the_last_attempt(server: FileServer, folder: Path) -> None:
    url = server.put("a.csv", CONTENT)
    server.always = Fault(status=503)
    message = fails(url, folder)
    assert message == f"{url}: gave up after {ATTEMPTS} attempts: HTTP 503 Service Unavailable"
    assert len(server.requests) == ATTEMPTS
    assert not hidden(folder)


def test_retry_after_is_respected(server: FileServer, folder: Path) -> None:
    url = server.put("a.csv", CONTENT)
    server.faults = [Fault(status=429, headers={"Retry-After": "1"})]
    fetch(url, folder)
    first, second = server.requests
    assert second.at - first.at >= 1
    assert contents(folder) == {"a.csv": CONTENT}


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize("form", ["seconds", "date"])
def test_too_long_retry_after_is_an_error(
    status: int, form: str, server: FileServer, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(time, "sleep", lambda seconds: pytest.fail(f"it waits for {seconds} s"))
    url = server.put("a.csv", CONTENT)
    date = format_datetime(datetime.now(UTC) + timedelta(seconds=65), usegmt=True)
    asked = {"seconds": "65", "date": date}[form]
    server.always = Fault(status=status, headers={"Retry-After": asked})
    message = fails(url, folder)
    assert f"HTTP {status}" in message
    assert "Retry-After 6" in message
    assert len(server.requests) == 1


def test_retry_after_with_a_date_is_respected(server: FileServer, folder: Path) -> None:
    url = server.put("a.csv", CONTENT)
    soon = (datetime.now(UTC) + timedelta(seconds=1.2)).replace(microsecond=0)
    server.faults = [Fault(status=503, headers={"Retry-After": format_datetime(soon, usegmt=True)})]
    fetch(url, folder)
    assert datetime.now(UTC) >= soon
    assert contents(folder) == {"a.csv": CONTENT}


def test_missing_file_is_not_retried(server: FileServer, folder: Path) -> None:
    message = fails(f"{server.base}/2024/a.csv", folder, NotYetAvailableError)
    assert message == f"{server.base}/2024/a.csv: HTTP 404 Not Found"
    assert len(server.requests) == 1
    assert not hidden(folder)


def test_refused_request_is_not_retried(server: FileServer, folder: Path) -> None:
    url = server.put("a.csv", CONTENT)
    server.always = Fault(status=403)
    # Some servers say so of a file that is not published yet.
    assert "HTTP 403 Forbidden" in fails(url, folder, NotYetAvailableError)
    assert len(server.requests) == 1


@pytest.mark.parametrize("case", ["refused", "404", "403", "500", "bad redirect", "damaged headers"])
def test_secrets_are_in_no_message_or_log(
    case: str, server: FileServer, folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    url = server.put("a.csv", CONTENT).replace("://", "://someone:pass-word@")
    if case == "refused":
        with serving() as gone:
            url = url.replace(server.base.rpartition(":")[2], gone.base.rpartition(":")[2])
    elif case == "bad redirect":
        server.always = Fault(status=302, headers={"Location": "ftp://u:pass-word@nowhere/?k=" + SECRET})
    elif case == "damaged headers":
        server.always = Fault(status=403, headers={"A": "1\r\nno header at all"})
    else:
        server.always = Fault(status=int(case))
    with pytest.raises(DownloadError) as caught:
        fetch(f"{url}?key={SECRET}&x=1#{SECRET}", folder)
    shown = url.replace("someone:pass-word@", "")
    assert str(caught.value).startswith(f"{shown}: ")
    messages = caplog.text + "".join(traceback.format_exception(caught.value))
    assert caught.value.__context__ is None
    for secret in (SECRET, "someone", "pass-word"):
        assert secret not in messages
    if case != "refused":
        # The requests have them.
        assert server.requests[0].target.endswith(f"?key={SECRET}&x=1")
        basic = base64.b64encode(b"someone:pass-word").decode()
        assert server.requests[0].headers["authorization"] == f"Basic {basic}"


@pytest.mark.parametrize("host", ["127.0.0.1:1", "no-such-host.invalid"])
def test_unreachable_host_is_an_error(host: str, folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    message = fails(f"http://{host}/a.csv", folder)
    assert message.startswith(f"http://{host}/a.csv: gave up after {ATTEMPTS} attempts: ")
    reasons = {"127.0.0.1:1": "Connection refused", "no-such-host.invalid": "gaierror"}
    assert reasons[host] in message
    # One line in the log per retry.
    assert len([record for record in caplog.records if record.name == "ingestion.http"]) == ATTEMPTS - 1


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:1/",
        "http://127.0.0.1:1/folder/",
        "http://127.0.0.1:1/..",
        "http://127.0.0.1:1/.a.csv",
        "http://127.0.0.1:1/..%2Fa.csv",
        "http://127.0.0.1:1/a%5Cb.csv",
        "http://127.0.0.1:1/a%00.csv",
        f"http://127.0.0.1:1/{'a' * 250}.csv",
        "file:///etc/passwd",
        "ftp://127.0.0.1/a.csv",
        "a.csv",
        "http:///a.csv",
        "http://someone:s3/cret@127.0.0.1/a.csv",
    ],
)
def test_url_without_a_file_name_is_an_error(url: str, folder: Path) -> None:
    message = fails(url, folder)
    assert "attempts" not in message
    assert "s3" not in message
    assert "None" not in message
    assert not folder.exists()
