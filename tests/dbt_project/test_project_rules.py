"""The rules of dbt-project-evaluator 1.x, checked on dbt's manifest, and the conventions of this project.

Each rule lists the resources that break it. An exception names them by a pattern, with its reason; an exception that
nothing needs fails as well.
"""

import json
import re
from collections import Counter
from collections.abc import Callable, Iterator
from fnmatch import fnmatch
from pathlib import PurePosixPath

import pytest

from settings import DBT_PROJECT_DIR, Settings
from tests.parsed import Parsed
from tests.sample_domains import removed
from transformation.manifest import SHARED, failed_rules_mart, quarantine_model, row_counts_mart

PREFIXES = {
    "clean": ("stg", "validated", "clean", "quarantine"),
    "curated": ("curated",),
    "marts": ("fct", "dim", "agg", "audit"),
}
FANOUT = 3
JOINS = 7
VIEWS = 4
KEY_TESTS = ("unique", "primary_key", "unique_combination_of_columns")
# What dbt-project-evaluator looks for, besides ref() and source(): a schema and a table, or a quoted table.
HARD_CODED = re.compile(r"\b(?:from|join)\s+(?:[\w\"`]+\.[\w\"`]+|[\"`\[]\w+)(?!\s*\()", re.IGNORECASE)


class Graph:
    """dbt's manifest with the relations between its resources."""

    def __init__(self, content: dict) -> None:
        self.content = content
        self.nodes = content["nodes"]
        self.sources = content["sources"]
        self.groups = content["groups"]
        self.exposures = content["exposures"]
        self.models = {key: node for key, node in self.nodes.items() if node["resource_type"] == "model"}
        self.seeds = {key: node for key, node in self.nodes.items() if node["resource_type"] == "seed"}
        self.tests = {key: node for key, node in self.nodes.items() if node["resource_type"] == "test"}

    def parents(self, key: str, *kinds: str) -> list[str]:
        """Return the resources of these kinds that a resource reads."""
        return [one for one in self.content["parent_map"].get(key, []) if one.split(".")[0] in kinds]

    def children(self, key: str, *kinds: str) -> list[str]:
        """Return the resources of these kinds that read a resource."""
        return [one for one in self.content["child_map"].get(key, []) if one.split(".")[0] in kinds]

    def in_layer(self, *prefixes: str) -> dict[str, dict]:
        """Return the models whose names begin with a prefix."""
        return {key: node for key, node in self.models.items() if node["name"].split("_")[0] in prefixes}


@pytest.fixture(scope="module")
def graph(tmp_path_factory: pytest.TempPathFactory, project: Parsed) -> Graph:
    """The project's manifest."""
    settings = project.put(Settings(data_dir=tmp_path_factory.mktemp("rules"), env="dev"))
    return Graph(json.loads(settings.manifest.read_text()))


Rule = Callable[[Graph], Iterator[str]]
RULES: dict[str, Rule] = {}
EXCEPTIONS: dict[str, dict[str, str]] = {
    "direct_join_to_source": {
        "validated_*": "reads from the raw table which rows are corrected or delivered again; it is no staging of it",
        "quarantine_*": "returns the rows as delivered, which the raw table alone has",
        "audit_*": "counts the rows where they are, in the raw tables too",
        "dim_pipelines": "the health marts read raw_ops, whose columns are typed already",
        "agg_pipeline_health": "the health marts read raw_ops, whose columns are typed already",
    },
    "downstream_models_dependent_on_source": {
        "audit_*": "counts the rows where they are, in the raw tables too",
        "fct_loads": "the health marts read raw_ops, whose columns are typed already",
        "fct_*_runs": "the health marts read raw_ops, whose columns are typed already",
        "fct_test_results": "the health marts read raw_ops, whose columns are typed already",
        "dim_pipelines": "the health marts read raw_ops, whose columns are typed already",
        "agg_p*": "the health and overview marts read raw_ops, whose columns are typed already",
        "curated_news__enrichments": "enrichments are written by ingestion with types, so nothing is to be cleaned",
    },
    "multiple_sources_joined": {
        "stg_*": "file_loads says when a row was loaded, which some rules compare with its dates",
        "audit_*": "compares the numbers that ingestion reported with the rows that it loaded",
        "dim_pipelines": "a pipeline is known to Airflow, or by what it has published",
        "fct_pipeline_runs": "Airflow knows the state of a run, the run itself its metrics",
        "agg_pipeline_health": "the health of a pipeline is its runs, what it has published and what it costs",
    },
    "rejoining_of_upstream_concepts": {
        "agg_pipeline_health": "dim_pipelines also has pipelines without runs",
        "fct_orders": "by_month compares when clean orders were validated, without the joins of curated orders",
    },
    "root_models": {
        "dim_dates": "the calendar is generated, not delivered",
    },
    "source_fanout": {
        "raw_*": "validated, quarantine and audit models read raw tables too, see direct_join_to_source",
    },
    "too_many_joins": {
        "audit_*": "a union of counts, one per table of each entity, which are few rows",
    },
    "missing_primary_key_tests": {
        "stg_*": "a view; the key of the same rows is tested in validated_*",
        "quarantine_*": "a view; the key of the same rows is tested in validated_*",
        "clean_*": "a view on rows that the macro apply_quality_rules makes unique; a fact tests the key",
        "curated_*": "read by one fact, which tests the key",
        "validated_taxi__trips": "fct_trips tests the trip's key; a test of every delivered record reads all months",
    },
    "test_coverage": {
        "stg_*": "a view; validated_* tests the same rows, and unit tests the casts",
        "quarantine_*": "a view on validated_*, which has the tests",
        "curated_*": "read by one fact, which has the tests",
    },
    "missing_source_freshness": {
        "raw_*": "freshness is an alert limit of the domain (see observability), which also covers publication",
    },
    "source_directories": {
        "raw_ops": "the health marts are the first models that read it",
    },
}


def rule(function: Rule) -> Rule:
    """Register a rule by the function's name, without the underscore that keeps pytest from running it."""
    RULES[function.__name__.removeprefix("_")] = function
    return function


# Modeling


@rule
def direct_join_to_source(graph: Graph) -> Iterator[str]:
    """A model reads a source and another model."""
    for key, node in graph.models.items():
        if graph.parents(key, "source") and graph.parents(key, "model"):
            yield node["name"]


@rule
def downstream_models_dependent_on_source(graph: Graph) -> Iterator[str]:
    """A model after the clean layer reads a source."""
    for key, node in graph.in_layer(*PREFIXES["curated"], *PREFIXES["marts"]).items():
        if graph.parents(key, "source"):
            yield node["name"]


@rule
def duplicate_sources(graph: Graph) -> Iterator[str]:
    """Two sources are one table."""
    relations = Counter(node["relation_name"] for node in graph.sources.values())
    yield from (relation for relation, count in relations.items() if count > 1)


@rule
def hard_coded_references(graph: Graph) -> Iterator[str]:
    """A model names a table without ref() or source()."""
    for node in graph.models.values():
        code = re.sub(r"--[^\n]*|extract\([^)]*\)", "", node["raw_code"])
        if HARD_CODED.search(code):
            yield node["name"]


@rule
def model_fanout(graph: Graph) -> Iterator[str]:
    """A model that is not a mart has many models after it."""
    for key, node in graph.models.items():
        leaves = [one for one in graph.children(key, "model") if not graph.children(one, "model")]
        if len(leaves) > FANOUT:
            yield node["name"]


@rule
def multiple_sources_joined(graph: Graph) -> Iterator[str]:
    """A model reads several sources."""
    for key, node in graph.models.items():
        if len(graph.parents(key, "source")) > 1:
            yield node["name"]


@rule
def rejoining_of_upstream_concepts(graph: Graph) -> Iterator[str]:
    """A model reads a model and its only parent, which nothing else reads."""
    for key, node in graph.models.items():
        parents = graph.parents(key, "model", "seed", "source")
        for between in parents:
            once = len(graph.children(between, "model")) == 1
            if once and set(graph.parents(between, "model", "seed")) & set(parents):
                yield node["name"]


@rule
def root_models(graph: Graph) -> Iterator[str]:
    """A model reads nothing."""
    for key, node in graph.models.items():
        if not graph.parents(key, "model", "source", "seed"):
            yield node["name"]


@rule
def source_fanout(graph: Graph) -> Iterator[str]:
    """Several models read a source."""
    for key, node in graph.sources.items():
        if len(graph.children(key, "model")) > 1:
            yield node["source_name"]


@rule
def staging_models_dependent_on_downstream_models(graph: Graph) -> Iterator[str]:
    """A staging model reads a model of a later layer."""
    for key, node in graph.in_layer("stg").items():
        if any(graph.models[one]["name"].split("_")[0] != "stg" for one in graph.parents(key, "model")):
            yield node["name"]


@rule
def staging_models_dependent_on_other_staging_models(graph: Graph) -> Iterator[str]:
    """A staging model reads another one."""
    for key, node in graph.in_layer("stg").items():
        if any(graph.models[one]["name"].startswith("stg_") for one in graph.parents(key, "model")):
            yield node["name"]


@rule
def unused_sources(graph: Graph) -> Iterator[str]:
    """Nothing reads a source."""
    for key, node in graph.sources.items():
        if not graph.children(key, "model"):
            yield f"{node['source_name']}.{node['name']}"


@rule
def too_many_joins(graph: Graph) -> Iterator[str]:
    """A model reads so many others that it can hardly be understood."""
    for key, node in graph.models.items():
        if len(graph.parents(key, "model", "source", "seed")) >= JOINS:
            yield node["name"]


# Testing


def _tests_of(graph: Graph, key: str) -> list[dict]:
    return [graph.tests[one] for one in graph.children(key, "test")]


@rule
def missing_primary_key_tests(graph: Graph) -> Iterator[str]:
    """No test says what identifies a row of a model."""
    for key, node in graph.models.items():
        names = {
            (test.get("test_metadata") or {}).get("name")
            for test in _tests_of(graph, key)
            if test.get("attached_node") == key
        }
        if not names & set(KEY_TESTS):
            yield node["name"]


@rule
def missing_source_freshness(graph: Graph) -> Iterator[str]:
    """dbt does not check how old the rows of a source are."""
    for node in graph.sources.values():
        if not (node.get("freshness") or {}).get("error_after", {}).get("count"):
            yield node["source_name"]


@rule
def _test_coverage(graph: Graph) -> Iterator[str]:
    """A model has no test."""
    for key, node in graph.models.items():
        if not _tests_of(graph, key):
            yield node["name"]


# Documentation


@rule
def undocumented_models(graph: Graph) -> Iterator[str]:
    """A model has no description."""
    yield from (node["name"] for node in graph.models.values() if not node["description"])


@rule
def documentation_coverage(graph: Graph) -> Iterator[str]:
    """A column has no description, or a model, seed or source table no columns."""
    for node in (*graph.models.values(), *graph.seeds.values(), *graph.sources.values()):
        columns = node["columns"].values()
        if not columns or not all(column["description"] for column in columns):
            yield node["name"]


@rule
def undocumented_source_tables(graph: Graph) -> Iterator[str]:
    """A table of a source has no description."""
    yield from (
        f"{node['source_name']}.{node['name']}" for node in graph.sources.values() if not node["description"]
    )


@rule
def undocumented_sources(graph: Graph) -> Iterator[str]:
    """A source has no description."""
    yield from {node["source_name"] for node in graph.sources.values() if not node["source_description"]}


# Structure


@rule
def model_naming_conventions(graph: Graph) -> Iterator[str]:
    """A model's name does not say its layer, or that of a clean or curated model not its domain and entity."""
    for node in graph.models.values():
        _, layer, domain, *_ = node["fqn"]
        if layer == "marts":
            names = (rf"({'|'.join(PREFIXES[layer][:-1])})_[a-z0-9_]+", rf"audit_{domain}__[a-z_]+")
        else:
            names = (rf"({'|'.join(PREFIXES[layer])})_{domain}__[a-z_]+",)
        if not any(re.fullmatch(name, node["name"]) for name in names):
            yield node["name"]


@rule
def model_directories(graph: Graph) -> Iterator[str]:
    """A model is not in a folder of its layer and its domain."""
    for node in graph.models.values():
        folders = PurePosixPath(node["original_file_path"]).parts[:-1]
        layer = next(name for name, prefixes in PREFIXES.items() if node["name"].split("_")[0] in prefixes)
        if folders[:3] != ("models", layer, node["group"]) or folders[3:] not in ((), ("generated",)):
            yield node["name"]


@rule
def source_directories(graph: Graph) -> Iterator[str]:
    """A source is not described in the clean layer of its domain."""
    for node in graph.sources.values():
        domain = node["source_name"].removeprefix("raw_")
        folders = [f"models/clean/{domain}{folder}" for folder in ("", "/generated")]
        if node["original_file_path"] not in [f"{folder}/_{domain}__sources.yml" for folder in folders]:
            yield node["source_name"]


@rule
def _test_directories(graph: Graph) -> Iterator[str]:
    """The tests, descriptions and columns of a model or seed are not in the properties file of its folder."""
    for kind, nodes in (("models", graph.models), ("seeds", graph.seeds)):
        for node in nodes.values():
            path = PurePosixPath(node["original_file_path"])
            if node["patch_path"] != f"sluice://{path.parent}/_{node['group']}__{kind}.yml":
                yield node["name"]
    for node in graph.tests.values():
        if "test_metadata" not in node and node["original_file_path"].split("/")[:2] != [
            "tests",
            node["group"],
        ]:
            yield node["name"]


# Performance


@rule
def chained_view_dependencies(graph: Graph) -> Iterator[str]:
    """A model is computed through a chain of views."""

    def views(key: str) -> int:
        if graph.models.get(key, {}).get("config", {}).get("materialized") != "view":
            return 0
        return 1 + max((views(one) for one in graph.parents(key, "model")), default=0)

    yield from (node["name"] for key, node in graph.models.items() if views(key) >= VIEWS)


@rule
def exposure_parents_materializations(graph: Graph) -> Iterator[str]:
    """An exposure reads a view or a source."""
    for key, node in graph.exposures.items():
        views = [
            one
            for one in graph.parents(key, "model")
            if graph.models[one]["config"]["materialized"] not in ("table", "incremental")
        ]
        if views or graph.parents(key, "source"):
            yield node["name"]


# Governance


@rule
def public_models_without_contract(graph: Graph) -> Iterator[str]:
    """Others may read a model that promises no columns."""
    for node in graph.models.values():
        if node["access"] == "public" and not node["config"]["contract"]["enforced"]:
            yield node["name"]


@rule
def exposures_dependent_on_private_models(graph: Graph) -> Iterator[str]:
    """An exposure reads a model that is not public."""
    for key, node in graph.exposures.items():
        if any(graph.models[one]["access"] != "public" for one in graph.parents(key, "model")):
            yield node["name"]


@rule
def undocumented_public_models(graph: Graph) -> Iterator[str]:
    """A public model has no description, or a column of it none."""
    for node in graph.models.values():
        described = node["description"] and all(column["description"] for column in node["columns"].values())
        if node["access"] == "public" and not described:
            yield node["name"]


def test_all_rules_of_the_evaluator_are_here() -> None:
    assert len(RULES) == 29
    assert set(EXCEPTIONS) <= set(RULES)


@pytest.mark.parametrize("name", RULES)
def test_rule_holds(graph: Graph, name: str) -> None:
    found = set(RULES[name](graph))
    exceptions = EXCEPTIONS.get(name, {})
    assert not {one for one in found if not any(fnmatch(one, pattern) for pattern in exceptions)}
    if removed():
        # It may be an exception of a sample domain.
        return
    unused = [pattern for pattern in exceptions if not any(fnmatch(one, pattern) for one in found)]
    assert not unused, "exceptions that nothing needs"


# Conventions of this project


def test_folder_tag_and_group_of_a_resource_are_its_domain(graph: Graph) -> None:
    for node in (*graph.models.values(), *graph.seeds.values()):
        *_, domain = (
            each for each in PurePosixPath(node["original_file_path"]).parent.parts if each != "generated"
        )
        assert (node["tags"], node["group"]) == ([domain], domain), node["name"]
    for node in graph.tests.values():
        if "test_metadata" not in node:
            assert node["tags"] == [node["group"]], node["name"]


def test_marts_are_public_and_all_other_models_private(graph: Graph) -> None:
    for node in graph.models.values():
        assert node["access"] == ("public" if node["fqn"][1] == "marts" else "private"), node["name"]


def test_every_domain_has_a_group_with_an_owner_and_a_selector(graph: Graph) -> None:
    domains = {node["group"] for node in graph.models.values()}
    assert {group["name"] for group in graph.groups.values() if group["owner"]["name"]} == domains
    assert set(graph.content["selectors"]) == domains - {SHARED}
    for domain, selector in graph.content["selectors"].items():
        own, shared = selector["definition"]["union"]
        assert own == {"method": "tag", "value": domain, "indirect_selection": "eager"}
        assert shared == {"method": "tag", "value": SHARED}


def test_every_domain_has_the_models_that_python_reads_by_name(graph: Graph) -> None:
    names = {node["name"] for node in graph.models.values()}
    for domain in {node["group"] for node in graph.models.values()} - {SHARED}:
        assert row_counts_mart(domain) in names
        validated = [name for name in names if name.startswith(f"validated_{domain}__")]
        assert (failed_rules_mart(domain) in names) == bool(validated)
        for name in validated:
            assert quarantine_model(domain, name.split("__")[1]) in names


def test_the_sql_of_a_model_may_end_with_a_comment() -> None:
    """What follows it on its line would be a part of the comment."""
    macros = (DBT_PROJECT_DIR / "macros").rglob("*.sql")
    wrong = [
        f"{path.name}: {line.strip()}"
        for path in macros
        for line in path.read_text().splitlines()
        if re.search(r"\{\{-?\s*(sql|compiled_code)\s*-?\}\}\s*\S", line)
    ]
    assert wrong == []
