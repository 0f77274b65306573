"""The command line: what it understands, what it says to a mistake, and its exit status."""

import re
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

from cli.main import PACKAGES, main
from ingestion.registry import domains
from settings import PROJECT_DIR, Settings
from tests.sluice import SLUICE

# Modules that take long to import. `--help` and the check of a verb need none of them.
HEAVY = {
    "airflow",
    "celery",
    "cosmos",
    "dbt",
    "dlt",
    "duckdb",
    "openai",
    "pandas",
    "pyarrow",
    "pydantic",
    "streamlit",
}


def said(captured: pytest.CaptureFixture[str]) -> str:
    """Return the error output without the lines of its frame."""
    return re.sub(r"[\s│╭╮╰╯─]+", " ", captured.readouterr().err)


@pytest.mark.parametrize(
    ("arguments", "hint"),
    [
        (["rnu", "taxi"], "No such command 'rnu'. Did you mean 'run'?"),
        (["quarantin", "taxi"], "No such command 'quarantin'. Did you mean 'quarantine'?"),
        (["airflow", "strat"], "No such command 'strat'. Did you mean 'start'"),
        (["run", "taxy"], "unknown domain 'taxy'. Did you mean 'taxi'?"),
        (["airflow", "run", "taxi", "colisions"], "unknown DAG 'colisions'. Did you mean 'collisions'?"),
        (["load", "product"], "unknown domain 'product'. Did you mean 'products'?"),
        (["preview", "taxi", "colisions"], "unknown domain 'colisions'. Did you mean 'collisions'?"),
        (["samples", "ecomerce"], "unknown domain 'ecomerce'. Did you mean 'ecommerce'?"),
        (
            ["compare-targets", "--targets", "duckdb,postgre"],
            "unknown target 'postgre'. Did you mean 'postgres'?",
        ),
        (
            ["compare-targets", "--targets", "duckdb,postgres", "--domains", "taxi,sale"],
            "unknown domain 'sale'. Did you mean 'sales'?",
        ),
        (["run", "taxi", "--force-publsh"], "No such option: --force-publsh"),
    ],
)
def test_a_mistyped_word_gets_a_suggestion(
    arguments: list[str], hint: str, settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == 2
    assert hint in said(capsys)


def test_an_unknown_word_without_a_likely_match_lists_the_known_ones(
    settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["publish", "xyz"]) == 2
    assert f"There are: {', '.join(domains())}." in said(capsys)


def test_a_verb_that_needs_a_domain_takes_none_silently(
    settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["run"]) == 2
    assert "Missing argument 'DOMAIN'" in said(capsys)


def test_a_wrong_setting_is_one_line_and_status_2(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SLUICE_ENV", "nowhere")
    assert main(["versions", "taxi"]) == 2
    error = capsys.readouterr().err
    assert error.startswith("error: SLUICE_ENV")
    assert error.count("\n") == 1


def test_a_defect_shows_its_traceback(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("publishing.manage.versions", lambda *_: {}["defect"])
    with pytest.raises(KeyError, match="defect"):
        main(["versions", "taxi"])


def test_help_lists_every_verb_and_imports_nothing_heavy() -> None:
    program = "import sys; from cli.main import main; main(['--help']); print(*sorted(sys.modules), file=sys.stderr)"
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=PROJECT_DIR, capture_output=True, text=True, timeout=60
    )
    assert HEAVY & {*done.stderr.split()} == set()
    verbs = "run load new remove samples publish versions rollback diff prune promote preview compare-targets quarantine archive "
    verbs += "restore reports notify health overview dashboard docs airflow spark"
    for verb in verbs.split():
        assert re.search(rf"│ {verb} ", done.stdout), verb


def test_the_quarantine_is_listed_without_the_libraries_that_load(data_dir: Settings) -> None:
    load = "from ingestion.load import load_domain; load_domain('ecommerce')"
    assert subprocess.run([sys.executable, "-c", load], cwd=PROJECT_DIR, timeout=60).returncode == 0
    with duckdb.connect(str(data_dir.warehouse)) as warehouse:
        warehouse.execute("create schema clean")
        for entity in ("customers", "orders", "products"):
            warehouse.execute(
                f"create view clean.quarantine_ecommerce__{entity} as select *, '' as _failed_rules from raw_ecommerce.{entity}"
            )
    program = "import sys; from cli.main import main; main(['quarantine', 'ecommerce']); print(*sorted(sys.modules), file=sys.stderr)"
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=PROJECT_DIR, capture_output=True, text=True, timeout=60
    )
    assert "no rows in quarantine" in done.stdout
    assert HEAVY & {*done.stderr.split()} == {"duckdb", "pydantic"}


def test_no_top_level_package_is_missing_among_the_own_ones() -> None:
    found = {path.parent.name for path in PROJECT_DIR.glob("*/__init__.py")}
    assert found - {"bench"} == {*PACKAGES}


def test_the_console_script_and_the_module_are_one_command(tmp_path: Path) -> None:
    script = Path(sys.executable).with_name("sluice")
    if not script.exists():
        pytest.skip("the project is not installed in this Python: make setup")
    for command, folder in (([script], tmp_path), (SLUICE, PROJECT_DIR)):
        done = subprocess.run(
            [*command, "run", "taxy"], cwd=folder, capture_output=True, text=True, timeout=60
        )
        assert done.returncode == 2
        assert "Did you mean 'taxi'?" in done.stderr


def test_the_shell_completes_domains() -> None:
    environment = {"_SLUICE_COMPLETE": "complete_bash", "COMP_WORDS": "sluice run ta", "COMP_CWORD": "2"}
    program = "from cli.main import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=PROJECT_DIR,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.stdout.split() == ["taxi"]
