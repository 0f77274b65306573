"""The Grafana dashboard and the rules of Prometheus ask for metrics that runs send."""

import json
import re

import yaml

from observability.telemetry import AGE, METRICS, STAGE, STATUS
from settings import PROJECT_DIR

UNITS = {"s": "_seconds", "1": "_ratio"}


def names() -> set[str]:
    """The metrics as Prometheus names them: with dots replaced, and the unit at the end unless it is one of a kind."""
    return {
        name.replace(".", "_") + UNITS.get(unit, "")
        for name, unit, _ in (*METRICS.values(), STATUS, AGE, STAGE)
    }


def asked(text: str) -> set[str]:
    found = {*re.findall(r"\bsluice_\w+(?![\w(])", text)}
    for prefix, choices in re.findall(r"(sluice_\w+)\((.*?)\)", text):
        found |= {prefix + each for each in choices.split("|")}
    return found


def test_the_panels_show_metrics_that_are_sent() -> None:
    dashboard = json.loads((PROJECT_DIR / "deployment" / "grafana" / "sluice.json").read_text())
    assert len({panel["id"] for panel in dashboard["panels"]}) == len(dashboard["panels"]) == 6
    expressions = [target["expr"] for panel in dashboard["panels"] for target in panel["targets"]]
    shown = set().union(*map(asked, expressions))
    assert shown <= names()
    assert names() <= shown


def test_the_rules_ask_for_metrics_that_are_sent() -> None:
    rules = yaml.safe_load((PROJECT_DIR / "deployment" / "prometheus" / "rules.yml").read_text())
    for rule in rules["groups"][0]["rules"]:
        assert rule["labels"]["severity"] in ("warning", "critical")
        assert asked(rule["expr"]) <= names(), rule["alert"]
