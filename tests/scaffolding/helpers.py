"""Files of a shop with known defects, and what Airflow makes of a new domain."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.end_to_end.conftest import Checkout

CUSTOMERS = 40
ORDERS = 100
ORPHANS = (11, 12)
UNREADABLE = 7
ENVIRONMENT = (
    "import json, settings; from local_airflow.configuration import airflow_environment; "
    "print(json.dumps(airflow_environment(settings.load(), port=1)))"
)


def write(path: Path, *lines: str) -> Path:
    path.write_text("".join(f"{line}\n" for line in lines))
    return path


def customers(folder: Path) -> Path:
    lines = [
        f'{n},C{n:03d},"Ann, the {n}.",ann{n}@example.com,0{n},{"yes" if n % 2 else "no"}'
        for n in range(1, CUSTOMERS + 1)
    ]
    return write(folder / "customers.csv", "no,id,name,email,branch,VIP", *lines)


def orders(folder: Path, name: str = "orders_2024-05.csv") -> Path:
    """Write orders; two have unknown customers, one an unreadable quantity, and a line is cut off."""
    lines = []
    for n in range(1, ORDERS + 1):
        customer = "C999" if n in ORPHANS else f"C{n % CUSTOMERS + 1:03d}"
        quantity = "two" if n == UNREADABLE else str(n % 5 + 1)
        lines.append(f"{n},{customer},{quantity},{n}.5,2024-05-{n % 28 + 1:02d},select {n % 3}")
    return write(folder / name, "order_id,customer_id,quantity,unit price,date,select", *lines, "101,C001")


def parsed_dags(checkout: Checkout) -> dict[str, Any]:
    """Return what Airflow finds in the DAGs of a checkout, see `tests/dags/parse_dags.py`."""
    environment = subprocess.run(
        [sys.executable, "-c", ENVIRONMENT],
        cwd=checkout.path,
        env=checkout.environment,
        capture_output=True,
        text=True,
    )
    assert environment.returncode == 0, environment.stderr
    parsed = subprocess.run(
        [sys.executable, "tests/dags/parse_dags.py"],
        cwd=checkout.path,
        env={
            **os.environ,
            **json.loads(environment.stdout.splitlines()[-1]),
            "PYTHONPATH": str(checkout.path),
        },
        capture_output=True,
        text=True,
    )
    assert parsed.returncode == 0, parsed.stderr
    return json.loads(parsed.stdout.rpartition("RESULT")[2])
