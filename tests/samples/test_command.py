import json
from pathlib import Path

import pytest

from samples.__main__ import main
from settings import Settings


def test_every_domain_gets_input_where_it_has_none(data_dir: Settings, capsys: pytest.CaptureFixture) -> None:
    main(["--if-empty", "--json"])
    (report,) = map(json.loads, capsys.readouterr().out.splitlines())
    assert report["lines"] == 20_000
    assert report["clean"] + report["superseded"] + report["quarantined"] + report["rejected"] == 20_000
    assert report["files"] == [str(path) for path in data_dir.landing("collisions").iterdir()]


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
    assert [report[fate] for fate in ("lines", "clean", "superseded", "rejected")] == [90, 84, 2, 4]
    assert sorted(path.suffix for path in (tmp_path / "out").iterdir()) == [".gz", ".gz"]


@pytest.mark.parametrize("defects", ["flood=1", "cut_off", "cut_off=many"])
def test_a_defect_that_is_none_is_said(
    data_dir: Settings, defects: str, capsys: pytest.CaptureFixture
) -> None:
    with pytest.raises(SystemExit):
        main(["collisions", "--defects", defects])
    assert "defects" in (error := capsys.readouterr().err)
    assert "Traceback" not in error
