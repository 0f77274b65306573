"""What inlets and outlets cost a DAG run: the DAG as it is against the same without assets for lineage."""

import json
import tempfile
from pathlib import Path

from bench.measuring import copy_checkout, progress, run, spread, table

DOMAIN = "ecommerce"
ORDERS = 5_000
# What other modules import of dag_factory.lineage, without assets but those that start DAGs.
WITHOUT = """
from airflow.sdk import Asset


def published_asset(domain):
    return Asset(f"sluice://published/{domain}")


def publish_outlets(domain):
    return [published_asset(domain)]


def step_assets(domain, step, own):
    return {"outlets": [published_asset(domain)]} if step.kind == "publish" else {}


def add_model_assets(dag, own):
    pass
"""


def measure(quick: bool) -> tuple[str, dict]:
    """Run the DAG in two copies of the checkout in turn, each with an Airflow of its own."""
    runs: dict[str, list[dict]] = {"with assets": [], "without": []}
    with tempfile.TemporaryDirectory(prefix="sluice-bench-") as folder:
        checkouts = {name: _prepare(Path(folder), name) for name in runs}
        for turn in range(1 if quick else 3):
            for name, checkout in checkouts.items():
                progress(f"{name}, turn {turn + 1}")
                runs[name] += _runs(checkout, 2 if quick else 4)
    header = ["DAG run of ecommerce", "runs", "CPU seconds", "seconds"]
    rows = [
        [
            name,
            str(len(found)),
            spread([each["cpu_seconds"] for each in found]),
            spread([each["seconds"] for each in found]),
        ]
        for name, found in runs.items()
    ]
    return table(header, rows), runs


def _prepare(folder: Path, name: str) -> Path:
    checkout = copy_checkout(folder / name.replace(" ", "_"))
    if name == "without":
        (checkout / "dags" / "dag_factory" / "lineage.py").write_text(WITHOUT)
    data = checkout / "data"
    run(["-m", "cli", "samples", DOMAIN, "--orders", str(ORDERS)], cwd=checkout, data_dir=data)
    run(["-m", "cli", "run", DOMAIN], cwd=checkout, data_dir=data)
    return checkout


def _runs(checkout: Path, count: int) -> list[dict]:
    """Return the runs beside one started Airflow but the first, which fills caches."""
    ended = run(
        ["-m", "bench.turns", DOMAIN, *["dag"] * (count + 1)], cwd=checkout, data_dir=checkout / "data"
    )
    return [json.loads(line) for line in ended.output.splitlines() if line.startswith('{"turn"')][1:]
