import json
from pathlib import Path

import pytest

from cli.main import main as sluice
from cli.samples import main
from samples.domains import DOMAINS
from settings import Settings


def test_every_domain_gets_input_where_it_has_none(data_dir: Settings, capsys: pytest.CaptureFixture) -> None:
    assert sluice(["samples", "--if-empty", "--json"]) == 0
    reports = {report["domain"]: report for report in map(json.loads, capsys.readouterr().out.splitlines())}
    assert reports.keys() == DOMAINS.keys()
    for domain, report in reports.items():
        parts = report["entities"].values()
        assert sorted(report["files"]) == sorted(map(str, data_dir.landing(domain).iterdir()))
        assert report["files"] == [file for part in parts for file in part["files"]]
        for counts in (report, *parts):
            statuses = sum(
                counts[row_status] for row_status in ("clean", "superseded", "quarantined", "rejected")
            )
            assert statuses == counts["lines"] > 0
    assert reports["collisions"]["lines"] == 20_000
    assert reports["ecommerce"]["entities"]["orders"]["lines"] == 20_000
    assert reports["collisions"]["entities"]["crashes"]["by_rule"] == {
        "crash_date_is_a_date": 5,
        "persons_injured_is_a_count": 10,
        "collision_id_is_a_number": 5,
    }


def test_input_of_ones_own_is_left_alone(data_dir: Settings, capsys: pytest.CaptureFixture) -> None:
    data_dir.landing("collisions").mkdir(parents=True)
    (data_dir.landing("collisions") / "mine.csv").touch()
    main(["collisions", "--if-empty"])
    assert capsys.readouterr().out == ""
    assert [path.name for path in data_dir.landing("collisions").iterdir()] == ["mine.csv"]


def test_options_reach_the_generator(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    options = [
        "--rows=90",
        "--files=2",
        "--gz",
        "--header=renamed",
        "--defects=cut_off=4,duplicate=2",
        "--json",
    ]
    main(["collisions", f"--out={tmp_path / 'out'}", *options])
    report = json.loads(capsys.readouterr().out)
    assert [report[row_status] for row_status in ("lines", "clean", "superseded", "rejected")] == [
        90,
        84,
        2,
        4,
    ]
    assert sorted(path.suffix for path in (tmp_path / "out").iterdir()) == [".gz", ".gz"]


def test_entities_are_chosen_by_repetition_or_commas(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    options = ["--orders=1000", "--name=day_2", "--first-id=7", "--first-day=2025-03-01", "--days=1"]
    main(["ecommerce", f"--out={tmp_path}", "--only=orders", "--defects=none", *options])
    assert [path.name for path in tmp_path.iterdir()] == ["orders_day_2.csv"]
    first_line = (tmp_path / "orders_day_2.csv").read_text().splitlines()[1]
    assert (first_line.split(",")[0], first_line.split(",")[5]) == ("O00000007", "2025-03-01")

    main(["ecommerce", f"--out={tmp_path}", "--only=products", "--only=customers,orders", *options])
    assert {path.name.split("_")[0] for path in tmp_path.iterdir()} == {"customers", "products", "orders"}


@pytest.mark.parametrize("domain", DOMAINS)
@pytest.mark.parametrize("defects", ["flood=1", "cut_off", "cut_off=many"])
def test_a_defect_that_is_none_is_said(
    data_dir: Settings, domain: str, defects: str, capsys: pytest.CaptureFixture
) -> None:
    with pytest.raises(SystemExit):
        main([domain, "--defects", defects])
    assert "defects" in (error := capsys.readouterr().err)
    assert "Traceback" not in error
