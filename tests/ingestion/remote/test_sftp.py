"""Files of an SFTP server, from OpenSSH to the raw table."""

import os
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from ingestion.extract import remote_folder
from ingestion.extract import sftp as sftp_module
from ingestion.extract.fetch_files import fetch_files
from settings import Settings
from tests.ingestion.conftest import Query
from tests.ingestion.documented import documented
from tests.ingestion.remote.conftest import URL, Load
from tests.servers.sftp import Sftp, sftp


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sftp]:
    with sftp(tmp_path_factory.mktemp("sftp")) as running:
        yield running


@pytest.fixture
def folder(server: Sftp, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of the server, which the variable names."""
    folder = tmp_path / "export of may"
    folder.mkdir()
    monkeypatch.setenv("HOME", str(server.home))
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)
    monkeypatch.setenv(URL, f"{server.url}{tmp_path}/export%20of%20may")
    return folder


def test_new_and_changed_files_are_fetched(folder: Path, run: Load, query: Query) -> None:
    (folder / "2024").mkdir()
    (folder / "2024" / "invoices.csv").write_text("id,amount\n1,1\n")
    (folder / "invoices_2.csv").write_text("id,amount\n2,2\n")
    (folder / "invoices_3.csv.filepart").write_text("id,am")
    (folder / "invoices_4.csv").symlink_to("invoices_2.csv")
    linked = f"invoices_4.csv of {URL}: it is a link and not a file; deliver the file itself"
    both = ["2024__invoices.csv", "invoices_2.csv"]
    assert run() == {**dict.fromkeys(both, "loaded"), "invoices_4.csv": linked}
    (folder / "invoices_4.csv").unlink()
    (folder / "invoices_2.csv").write_text("id,amount\n2,22\n")
    assert run() == {"2024__invoices.csv": "skipped", "invoices_2.csv": "replaced"}
    assert query("select id, amount from raw_ecommerce.invoices order by 1") == [("1", "1"), ("2", "22")]


def test_a_file_that_grows_while_it_is_read_is_left_for_the_next_run(
    folder: Path, run: Load, query: Query, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = folder / "invoices.csv"
    file.write_text("id,amount\n1,1\n")
    original = sftp_module.KnownSftp.get_file

    def meanwhile(self: sftp_module.KnownSftp, rpath: str, lpath: str) -> None:
        original(self, rpath, lpath)
        with file.open("a") as more:
            more.write("2,2\n")

    with monkeypatch.context() as slow:
        slow.setattr(sftp_module.KnownSftp, "get_file", meanwhile)
        assert run() == {
            "invoices.csv": f"invoices.csv of {URL}: it changed while it was read; the next run fetches it"
        }
    assert run() == {"invoices.csv": "loaded"}
    assert query("select count(*) from raw_ecommerce.invoices") == [(2,)]


def test_a_server_whose_key_is_not_known_gets_no_password(
    folder: Path, server: Sftp, run: Load, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv(URL, os.environ[URL].replace("@", ":sword%2Ffish@"))
    monkeypatch.setenv("HOME", str(tmp_path))
    (reason,) = run().values()
    port = server.url.rpartition(":")[2]
    assert "is not known" in reason
    assert f"ssh-keyscan -p {port} 127.0.0.1 >> ~/.ssh/known_hosts" in reason
    # The server takes no passwords, and this home has its key, but not the user's.
    (tmp_path / ".ssh").mkdir()
    (tmp_path / ".ssh" / "known_hosts").write_text((server.home / ".ssh" / "known_hosts").read_text())
    (refused,) = run().values()
    assert refused.startswith("its files cannot be listed: ")
    assert "fish" not in reason + refused


def test_a_server_that_does_not_answer_is_given_up(run: Load, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sftp_module, "CONNECT_SECONDS", 0.5)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        monkeypatch.setenv(URL, f"sftp://me@127.0.0.1:{silent.getsockname()[1]}/exports")
        started = time.monotonic()
        (reason,) = run().values()
    assert reason.startswith("its files cannot be listed: ")
    assert time.monotonic() - started < 10


def test_a_server_that_stops_answering_is_given_up(
    folder: Path, server: Sftp, run: Load, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "invoices.csv").write_text("id,amount\n1,1\n")
    monkeypatch.setattr(remote_folder, "SILENT_SECONDS", 0.5)
    original = sftp_module.KnownSftp.get_file

    def stop(self: sftp_module.KnownSftp, rpath: str, lpath: str) -> None:
        server.pause(5)
        original(self, rpath, lpath)

    monkeypatch.setattr(sftp_module.KnownSftp, "get_file", stop)
    assert run()["invoices.csv"].startswith(f"invoices.csv of {URL} cannot be fetched: ")


def test_the_documented_server(
    folder: Path, server: Sftp, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SLUICE_BANK_FILES_URL", os.environ[URL])
    (folder / "statements_1.csv").write_text("id,amount\n1,1\n")
    (fetched,) = fetch_files(documented("STATEMENTS"), settings)
    assert fetched.status == "loaded"
    assert (settings.landing("bank") / "statements_1.csv").read_text() == "id,amount\n1,1\n"


def test_a_connection_that_ends_is_reported_once(
    folder: Path, run: Load, query: Query, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(5):
        (folder / f"invoices_{number}.csv").write_text(f"id,amount\n{number},1\n")
    original = sftp_module.KnownSftp.get_file

    def cut(self: sftp_module.KnownSftp, rpath: str, lpath: str) -> None:
        if rpath.endswith("invoices_2.csv"):
            self.client.get_transport().sock.close()
        original(self, rpath, lpath)

    with monkeypatch.context() as failing:
        failing.setattr(sftp_module.KnownSftp, "get_file", cut)
        results = run()
    assert results.pop("invoices_2.csv").startswith(f"invoices_2.csv of {URL} cannot be fetched: ")
    assert results == {
        URL: "it does not answer any more; the next run fetches what is left",
        "invoices_0.csv": "loaded",
        "invoices_1.csv": "loaded",
    }
    run()
    assert query("select count(*) from raw_ecommerce.invoices") == [(5,)]
