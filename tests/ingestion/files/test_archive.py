"""Loaded files packed and brought back: the same bytes, whatever happens on the way."""

import json
import os
import subprocess
from datetime import date
from pathlib import Path

import pytest

from cli.main import main
from common.file_lock import file_lock
from ingestion.files import archive as module
from ingestion.files.archive import ArchiveError, archive, restore
from settings import Settings
from tests.kill_at import run_to_death

BEFORE = date(2024, 5, 3)
FILES = {
    "2024-05-01/a.csv": os.urandom(100_000),
    "2024-05-01/b.csv": b"date,store\n" * 1000,
    "2024-05-02/a.csv": b"another",
    "2024-05-03/a.csv": b"not yet",
}


@pytest.fixture
def folder(settings: Settings) -> Path:
    """An archive of three days."""
    for name, content in FILES.items():
        put(settings, name, content)
    return settings.archive("sales")


def put(settings: Settings, name: str, content: bytes) -> None:
    path = settings.archive("sales") / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def files(folder: Path) -> dict[str, bytes]:
    """Every file that is neither a pack nor the lock."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and path.parent != folder
    }


def flip(path: Path, position: int) -> None:
    """Flip a bit in the middle of a file."""
    content = bytearray(path.read_bytes())
    content[position] ^= 1
    path.write_bytes(content)


def test_what_is_packed_comes_back_to_the_byte(settings: Settings, folder: Path) -> None:
    packs = archive("sales", settings, before=BEFORE)
    assert [(pack.day, pack.files) for pack in packs] == [
        ("2024-05-01", ("a.csv", "b.csv")),
        ("2024-05-02", ("a.csv",)),
    ]
    assert files(folder) == {"2024-05-03/a.csv": b"not yet"}
    assert sorted(path.name for path in folder.iterdir()) == [
        ".lock",
        "2024-05-01.tar.gz",
        "2024-05-02.tar.gz",
        "2024-05-03",
    ]
    assert packs[0].path.stat().st_size < 105_000
    assert archive("sales", settings, before=BEFORE) == []
    restore("sales", settings, day=date(2024, 5, 1))
    assert "2024-05-02/a.csv" not in files(folder)
    restore("sales", settings)
    restore("sales", settings)
    assert files(folder) == FILES


def test_a_pack_can_be_checked_by_hand(settings: Settings, folder: Path, tmp_path: Path) -> None:
    archive("sales", settings, before=BEFORE)
    subprocess.run(["tar", "xf", folder / "2024-05-01.tar.gz"], cwd=tmp_path, check=True)
    subprocess.run(["sha256sum", "-c", "SHA256SUMS"], cwd=tmp_path, check=True, capture_output=True)


def test_the_command_packs_and_restores(
    settings: Settings, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["archive", "sales", "--before", "2024-05-02", "--json"]) == 0
    packed = json.loads(capsys.readouterr().out)["packs"]
    assert [(pack["day"], pack["files"]) for pack in packed] == [("2024-05-01", ["a.csv", "b.csv"])]
    assert main(["restore", "sales", "--date", "2024-05-01"]) == 0
    assert "restored 2 files of 2024-05-01" in capsys.readouterr().out
    assert files(folder) == FILES
    assert main(["restore", "sales", "--date", "2024-05-09"]) == 2
    assert "there is no pack" in capsys.readouterr().err
    assert main(["archive", "collisions", "--before", "2024-05-09"]) == 0


def test_files_that_come_later_join_the_pack_of_their_day(settings: Settings, folder: Path) -> None:
    archive("sales", settings, before=BEFORE)
    put(settings, "2024-05-01/c.csv", b"late")
    put(settings, "2024-05-01/a.csv", b"other content under a known name")
    put(settings, "2024-05-01/b.csv", FILES["2024-05-01/b.csv"])
    archive("sales", settings, before=BEFORE)
    assert not (folder / "2024-05-01").exists()
    restore("sales", settings)
    found = files(folder)
    assert FILES.items() < found.items()
    assert found["2024-05-01/c.csv"] == b"late"
    assert b"other content under a known name" in found.values()
    assert len(found) == len(FILES) + 2


@pytest.mark.parametrize("share", [0.0, 0.2, 0.5, 0.9, 1.0])
def test_a_flipped_bit_while_a_pack_is_written_is_found_and_the_originals_stay(
    settings: Settings, folder: Path, share: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = module._write

    def on_a_bad_disk(candidate: Path, *arguments) -> None:
        write(candidate, *arguments)
        # Not the time of packing and the kind of system in the head, which nobody reads.
        flip(candidate, 10 + int(share * (candidate.stat().st_size - 11)))

    with monkeypatch.context() as patched:
        patched.setattr(module, "_write", on_a_bad_disk)
        with pytest.raises(ArchiveError, match="damaged|differs from"):
            archive("sales", settings, before=BEFORE)
    assert files(folder) == FILES
    assert not list(folder.glob("*.tar.gz"))
    archive("sales", settings, before=BEFORE)
    restore("sales", settings)
    assert files(folder) == FILES


def test_a_flipped_bit_in_a_pack_is_found_before_an_original_goes_or_a_file_comes_back(
    settings: Settings, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    archive("sales", settings, before=BEFORE)
    pack = folder / "2024-05-01.tar.gz"
    flip(pack, pack.stat().st_size // 2)
    before = files(folder)
    assert main(["restore", "sales"]) == 2
    assert "2024-05-01.tar.gz is damaged" in capsys.readouterr().err
    assert files(folder) == before
    put(settings, "2024-05-01/a.csv", FILES["2024-05-01/a.csv"])
    with pytest.raises(ArchiveError, match="is damaged"):
        archive("sales", settings, before=BEFORE)
    assert files(folder)["2024-05-01/a.csv"] == FILES["2024-05-01/a.csv"]


def test_a_file_in_the_way_of_a_restored_one_stays(settings: Settings, folder: Path) -> None:
    archive("sales", settings, before=BEFORE)
    put(settings, "2024-05-02/a.csv", b"in the way")
    with pytest.raises(ArchiveError, match="other content"):
        restore("sales", settings, day=date(2024, 5, 2))
    assert files(folder)["2024-05-02/a.csv"] == b"in the way"


@pytest.mark.parametrize(
    ("target", "moment", "call"),
    [
        ("ingestion.files.archive:_write", "after", 1),
        ("ingestion.files.archive:_checked", "after", 1),
        ("pathlib:Path.replace", "before", 1),
        ("pathlib:Path.replace", "after", 1),
        ("pathlib:Path.unlink", "before", 1),
        ("pathlib:Path.unlink", "after", 2),
        ("pathlib:Path.unlink", "after", 3),
        ("pathlib:Path.unlink", "after", 4),
        ("pathlib:Path.rmdir", "before", 1),
        ("ingestion.files.archive:_pack", "after", 1),
    ],
)
def test_a_kill_at_any_point_loses_nothing(
    settings: Settings, folder: Path, target: str, moment: str, call: int
) -> None:
    point = (target, moment, call)
    run_to_death(point, settings, "cli", "archive", "sales", "--before", str(BEFORE))
    archive("sales", settings, before=BEFORE)
    assert files(folder) == {"2024-05-03/a.csv": b"not yet"}
    restore("sales", settings)
    assert files(folder) == FILES
    assert not list(folder.rglob(".*.unfinished"))


def test_one_process_packs_at_a_time(
    settings: Settings, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "WAIT_SECONDS", 0.0)
    with (
        file_lock(folder / ".lock", 0.0),
        pytest.raises(ArchiveError, match=f"process {os.getpid()} holds .*lock"),
    ):
        archive("sales", settings, before=BEFORE)
    assert len(archive("sales", settings, before=BEFORE)) == 2
