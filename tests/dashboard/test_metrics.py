"""Pages of domains define no figure themselves."""

import ast
import re

import pytest

from dashboard.exposures import VIEWS

AGGREGATE = re.compile(r"\b(sum|count|avg|mean|median|round)\s*\(", re.IGNORECASE)


@pytest.mark.parametrize("name", ["collisions", "ecommerce", "news", "sales", "taxi"])
def test_a_page_computes_no_figure_in_its_queries(name: str) -> None:
    module = ast.parse((VIEWS / f"{name}.py").read_text())
    texts = [
        node.value
        for node in ast.walk(module)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    ]
    assert not [text for text in texts if AGGREGATE.search(text)]
    called = {
        node.func.id
        for node in ast.walk(module)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
    }
    assert "ask_metrics" in called
