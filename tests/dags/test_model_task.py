"""Which errors of a model a second try would meet again."""

import sys

import pytest

from settings import PROJECT_DIR

sys.path.insert(0, str(PROJECT_DIR / "dags"))

from dag_factory.model_task import is_final  # noqa: E402 (a folder of Airflow's, which is on no path)


@pytest.mark.parametrize(
    "message",
    [
        'Runtime Error in model a (models/a.sql)\n  Binder Error: Referenced column "b" not found in FROM clause!',
        "Runtime Error in model a\n  Conversion Error: Could not convert string 'x' to INT32",
        "Compilation Error in model a\n  'b' is undefined",
        'Database Error in model a\n  column "b" does not exist\n  LINE 3:',
        'Database Error in model a\n  syntax error at or near "form"',
        "Compilation Error in model a\n  This model has an enforced contract that failed.",
    ],
)
def test_an_error_of_the_sql_is_final(message: str) -> None:
    assert is_final(message)


@pytest.mark.parametrize(
    "message",
    [
        "",
        "Runtime Error in model a\n  IO Error: Could not set lock on file",
        "Runtime Error in model a\n  Out of Memory Error: failed to allocate data",
        "Database Error in model a\n  server closed the connection unexpectedly",
        "Database Error in model a\n  deadlock detected",
        "Database Error in model a\n  could not connect to server: Connection refused",
    ],
)
def test_an_error_that_may_be_over_is_not(message: str) -> None:
    assert not is_final(message)
