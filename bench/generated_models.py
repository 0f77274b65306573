"""A generated domain and its DAG: models in layers, with two tests each."""

import shutil
from pathlib import Path

NAME = "generated"

DAG = f'''"""The generated models alone, without input and publication."""

import pendulum
from airflow.sdk import DAG
from dag_factory.dags import PARAMS
from dag_factory.dbt import MACROS, dbt_models

import settings

with DAG(
    dag_id="{NAME}",
    schedule=None,
    start_date=pendulum.datetime(2025, 1, 1, tz="UTC"),
    catchup=False,
    max_active_runs=1,
    params=PARAMS,
    user_defined_macros=MACROS,
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


def put_into(checkout: Path, rows: int, models: int, width: int) -> None:
    """Give a copy of the checkout this domain, in place of those it has.

    Args:
        checkout: the copy.
        rows: how many each model has.
        models: how many there are.
        width: how many of them are in a layer.
    """
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
    names = [f"{NAME}_{number}" for number in range(models)]
    for number, name in enumerate(names):
        if number < width:
            sql = FIRST.format(factor=number + 1, rows=rows)
        else:
            # Two models of the layer before: the one below and its neighbour.
            base = number // width * width - width
            sql = NEXT.format(NAME=NAME, left=base + number % width, right=base + (number + 1) % width)
        (folder / f"{name}.sql").write_text(f"{CONFIG}{sql}\n")
    described = "".join(MODEL_YAML.format(name=name) for name in names)
    (folder / f"{NAME}.yml").write_text(f"models:{described}\n")
    (checkout / "dags" / f"{NAME}.py").write_text(DAG)
