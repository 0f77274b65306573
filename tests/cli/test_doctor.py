"""`sluice doctor` names what is wrong and what to do, and one thing that cannot be examined hides no other."""

from pathlib import Path

import pytest

from cli import diagnosis
from cli.diagnosis import ERROR, OK, WARNING, Finding, examine
from cli.main import main
from ingestion import sources
from settings import Settings
from tests.holding import held


def found(settings: Settings, subject: str) -> list[Finding]:
    return [each for each in examine(settings) if each.subject == subject]


def test_an_empty_data_folder_needs_nothing_but_a_run(settings: Settings) -> None:
    for name in ("Python", "settings", "models", "sources"):
        assert {each.level for each in found(settings, name)} == {OK}, name
    (warehouse,) = found(settings, "warehouse")
    assert (warehouse.level, warehouse.fix) == (OK, "")
    (airflow,) = found(settings, "Airflow")
    assert airflow.text == "does not run; sluice airflow start starts it"


def test_who_holds_the_warehouse_is_named_at_once(settings: Settings) -> None:
    with held(settings.warehouse) as holder:
        (warehouse,) = found(settings, "warehouse")
        assert warehouse.level == WARNING
        assert f"is held by process {holder.pid}, " in warehouse.text
        assert "hold_duckdb_file.py" in warehouse.text


def test_a_source_that_cannot_be_imported_is_an_error_with_its_file(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sources, "__path__", [*sources.__path__, str(tmp_path)])
    (tmp_path / "shop.py").write_text("import no_such_library\n")
    assert main(["doctor"]) == 2
    printed = capsys.readouterr().out
    assert "✗ sources       ingestion/sources/shop.py cannot be imported: ModuleNotFoundError" in printed
    assert "→ correct the module; other domains run without it" in printed
    assert "Python" in printed


def test_a_disk_that_is_nearly_full_is_a_warning(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(diagnosis, "LEAST_FREE", 2**60)
    (disk,) = found(settings, "disk")
    assert (disk.level, disk.fix) == (WARNING, "free some space, or set SLUICE_DATA_DIR to another disk")


def test_a_check_that_fails_hides_no_other(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(settings: Settings) -> None:
        raise OSError("the disk is gone")

    monkeypatch.setattr(diagnosis, "CHECKS", (broken, *diagnosis.CHECKS))
    first, *others = examine(settings)
    assert first == Finding("broken", ERROR, "cannot be examined: OSError: the disk is gone")
    assert len(others) > 5


def test_nothing_of_a_secret_is_said(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLUICE_DOWNLOAD_URL_TAXY", "https://ann:not-for-any-log@example.org/{month}.csv")
    found = examine(Settings())
    assert any(each.level == ERROR and "SLUICE_DOWNLOAD_URL_TAXY" in each.text for each in found)
    assert "not-for-any-log" not in "\n".join(map(str, found))
