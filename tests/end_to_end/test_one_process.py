"""The collisions DAG in one process, as `dag.test()` runs it for somebody who works on it."""

import pytest

from tests.end_to_end.conftest import Checkout, accounting

pytestmark = pytest.mark.slow


def test_the_real_files_arrive_and_every_row_is_accounted_for(real_files: Checkout) -> None:
    done = real_files.run("runtime", "exec", "python", "dags/collisions.py")
    assert done.returncode == 0, done.stdout + done.stderr
    assert real_files.query("select count(*) from raw_collisions.crashes") == [(3262,)]
    assert real_files.query("select count(*) from raw_collisions.rejected_lines") == [(1,)]
    counts = accounting(real_files)
    assert counts["rows_read"] == 3263
    assert counts["rows_read"] == sum(counts.values()) - counts["rows_read"]
    assert real_files.query("select count(*) from marts.fct_collisions") == [(counts["rows_clean"],)]
