"""A generated domain and its DAG: 60 models in four layers, with two tests each."""

import shutil
from pathlib import Path

NAME = "bench60"
LAYERS = 4
WIDTH = 15

DAG = f'''"""The generated models alone, without input and publication."""

import pendulum
from airflow.sdk import DAG
from dag_factory.dags import PARAMS
from dag_factory.dbt import dbt_models

import settings

with DAG(
    dag_id="{NAME}",
    schedule=None,
    start_date=pendulum.datetime(2025, 1, 1, tz="UTC"),
    catchup=False,
    max_active_runs=1,
    params=PARAMS,
) as dag:
    dbt_models("{NAME}", settings.load())
'''
CONFIG = f"{{{{ config(tags=['{NAME}'], contract={{'enforced': false}}) }}}}\n"
FIRST = "select range as id, (range * {factor}) % 1000 as amount from range({rows})"
NEXT = """select a.id, a.amount + b.amount as amount
from {{{{ ref('{NAME}_{left}') }}}} as a inner join {{{{ ref('{NAME}_{right}') }}}} as b on a.id = b.id"""
MODEL_YAML = """
  - name: {name}
    columns:
      - {{name: id, data_tests: [unique]}}
      - {{name: amount, data_tests: [not_null]}}"""


def put_into(checkout: Path, rows: int) -> None:
    """Give a copy of the checkout this domain, with so many rows a model, in place of those it has."""
    for pattern in ("dbt_project/models/*/*", "dbt_project/seeds/*", "dbt_project/tests/*"):
        for folder in checkout.glob(pattern):
            if folder.name not in ("shared", "generic"):
                shutil.rmtree(folder)
    ignored = (checkout / "dags" / ".airflowignore").read_text().split()
    for file in checkout.glob("dags/*.py"):
        if file.name not in ignored:
            file.unlink()
    folder = checkout / "dbt_project" / "models" / "marts" / NAME
    folder.mkdir()
    names = [f"{NAME}_{number}" for number in range(LAYERS * WIDTH)]
    for number, name in enumerate(names):
        if number < WIDTH:
            sql = FIRST.format(factor=number + 1, rows=rows)
        else:
            # Two models of the layer before: the one below and its neighbour.
            base = number // WIDTH * WIDTH - WIDTH
            sql = NEXT.format(NAME=NAME, left=base + number % WIDTH, right=base + (number + 1) % WIDTH)
        (folder / f"{name}.sql").write_text(f"{CONFIG}{sql}\n")
    models = "".join(MODEL_YAML.format(name=name) for name in names)
    (folder / f"{NAME}.yml").write_text(f"models:{models}\n")
    (checkout / "dags" / f"{NAME}.py").write_text(DAG)
