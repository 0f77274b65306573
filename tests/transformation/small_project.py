"""A small project of which the tables are numbers: dbt's part is played here, by the protocol that its hook follows.

Each table holds a hash of its code and of what it reads, so it is easy to say what it must hold.
"""

import hashlib
import json
import os
from pathlib import Path

from settings import Settings
from transformation.changes import Changes
from warehouse import Warehouse

DOMAIN = "things"
SOURCES = ("a", "b")
# What each reads. `left` and `right` have a raw table each, `fct` has both, `agg` has the fact.
MODELS = {
    "left": ("a",),
    "right": ("b",),
    "shared_dim": (),
    "fct": ("left", "right"),
    "agg": ("fct", "shared_dim"),
}
TESTS = {"test_left": ("left",), "test_both": ("fct", "right"), "test_agg": ("agg",)}
NODES = MODELS | TESTS


def node_id(name: str) -> str:
    if name in SOURCES:
        return f"source.sluice.raw_{DOMAIN}.{name}"
    return f"{'test' if name in TESTS else 'model'}.sluice.{name}"


class SmallProject:
    """The project, its warehouse, and what the tables must hold."""

    def __init__(self, settings: Settings, folder: Path, warehouse: Warehouse) -> None:
        self.settings = settings
        self.folder = folder
        self.warehouse = warehouse
        self.start_over()

    def start_over(self) -> None:
        """Empty the warehouse, and forget all code and loads."""
        self.code = dict.fromkeys(NODES, 0)
        self.rows: dict[str, dict[str, int]] = {source: {} for source in SOURCES}
        self.loads = 0
        self.folder.mkdir(parents=True, exist_ok=True)
        self.warehouse.execute("create schema if not exists marts")
        self.warehouse.execute(f"create schema if not exists raw_{DOMAIN}")
        for schema, tables in (("marts", MODELS), (f"raw_{DOMAIN}", (*SOURCES, "_dlt_loads"))):
            for table in tables:
                self.warehouse.execute(f"drop table if exists {schema}.{table}")
        self.warehouse.execute("drop schema if exists dbt_state cascade")
        for source in SOURCES:
            self.warehouse.execute(f"create table raw_{DOMAIN}.{source} (_dlt_load_id text)")
        self.warehouse.execute(f"create table raw_{DOMAIN}._dlt_loads (inserted_at bigint)")
        self.edit("left", 0)

    def edit(self, name: str, version: int) -> None:
        """Give a model or test this version of its code."""
        self.code[name] = version
        nodes = {}
        for each, reads in NODES.items():
            nodes[node_id(each)] = {
                "name": each,
                "alias": each,
                "resource_type": "test" if each in TESTS else "model",
                "schema": "marts",
                "tags": ["shared" if each == "shared_dim" else DOMAIN],
                "config": {"severity": "ERROR"},
                "raw_code": str(self.code[each]),
                "depends_on": {"nodes": [node_id(parent) for parent in reads]},
            }
        sources = {node_id(each): {"schema": f"raw_{DOMAIN}", "identifier": each} for each in SOURCES}
        # A file of the project changes with it, as `ensure_manifest` and `project_state` see it.
        project = self.folder / "dbt_project.yml"
        project.write_text("name: sluice\n")
        self.settings.manifest.parent.mkdir(parents=True, exist_ok=True)
        copy = self.settings.manifest.with_suffix(".new")
        metadata = {"adapter_type": "duckdb", "dbt_version": "1"}
        copy.write_text(json.dumps({"metadata": metadata, "nodes": nodes, "sources": sources, "macros": {}}))
        os.utime(copy, ns=(project.stat().st_mtime_ns,) * 2)
        copy.replace(self.settings.manifest)

    def load(self, source: str) -> None:
        """Load a file: rows with an id of their own."""
        self.loads += 1
        self.rows[source][f"load {self.loads}"] = self.loads
        self._write(source)

    def withdraw(self, source: str) -> None:
        """Delete the rows of the last load."""
        if self.rows[source]:
            self.loads += 1
            self.rows[source].popitem()
            self._write(source)

    def _write(self, source: str) -> None:
        self.warehouse.execute(f"delete from raw_{DOMAIN}.{source}")
        for load in self.rows[source]:
            self.warehouse.execute(f"insert into raw_{DOMAIN}.{source} values ('{load}')")
        self.warehouse.execute(f"insert into raw_{DOMAIN}._dlt_loads values ({self.loads})")

    def begin(self, names: tuple[str, ...], run_id: str) -> None:
        """Do what `begin_nodes` does at the start of each dbt command."""
        self.warehouse.execute("create schema if not exists dbt_state")
        self.warehouse.execute(
            "create table if not exists dbt_state.nodes (unique_id text, run_id text, fingerprint text)"
        )
        for name in names:
            self.warehouse.execute(f"delete from dbt_state.nodes where unique_id = '{node_id(name)}'")
            self.warehouse.execute(
                f"insert into dbt_state.nodes values ('{node_id(name)}', '{run_id}', null)"
            )

    def build(self, name: str) -> None:
        """Build a model from what stands in the warehouse now."""
        reads = [self._stands(each) for each in MODELS[name]]
        value = _value(self.code[name], reads)
        self.warehouse.execute(f"create or replace table marts.{name} as select '{value}' as value")

    def passes(self, name: str) -> bool:
        """Run a test, which fails for one in eight states of what it reads."""
        reads = [self._stands(each) for each in TESTS[name]]
        return int(_value(self.code[name], reads), 16) % 8 > 0

    def stands(self) -> dict[str, str]:
        """Return what the tables hold."""
        return {name: self._stands(name) for name in MODELS}

    def must_stand(self) -> dict[str, str]:
        """Return what the tables hold after a run that skips nothing."""
        found: dict[str, str] = {source: "".join(self.rows[source]) for source in SOURCES}
        for name, reads in MODELS.items():
            found[name] = _value(self.code[name], [found[each] for each in reads])
        return {name: found[name] for name in MODELS}

    def must_pass(self, name: str) -> bool:
        """Whether a test passes in a run that skips nothing."""
        tables = self.must_stand()
        return int(_value(self.code[name], [tables[each] for each in TESTS[name]]), 16) % 8 > 0

    def _stands(self, name: str) -> str:
        if name in SOURCES:
            found = self.warehouse.execute(f"from raw_{DOMAIN}.{name} order by rowid").fetchall()
        elif self.warehouse.columns("marts", name):
            found = self.warehouse.execute(f"from marts.{name}").fetchall()
        else:
            found = []
        return "".join(value for (value,) in found)


def in_order(changes: Changes) -> list[str]:
    """Return what is to be built, each model after what it reads."""
    return [name for name in MODELS if name in changes.models]


def _value(code: int, reads: list[str]) -> str:
    return hashlib.sha256(repr((code, reads)).encode()).hexdigest()[:12]
