"""The graph that the page Lineage draws, without a browser."""

import re

import pytest

from dashboard.lineage_drawing import Texts, draw
from dashboard.lineage_graph import BOTH, DOWNSTREAM, UPSTREAM, Graph, graph_of
from lineage.graph import Lineage
from tests.parsed import Parsed

BOX = re.compile(r"left: (\d+)px; top: (\d+)px; width: (\d+)px; height: (\d+)px; border")


@pytest.fixture(scope="module")
def lineage(project: Parsed) -> Lineage:
    return project.lineage


def drawn(graph: Graph, lineage: Lineage) -> str:
    return draw(graph, Texts({each.name: each.label for each in lineage.readers.values()}, {}, {}))


def test_a_measure_has_its_files_before_it_and_its_pages_and_reports_after_it(lineage: Lineage) -> None:
    graph = graph_of(lineage, "marts.fct_orders.revenue")
    assert {box.kind for box in graph.boxes.values()} == {"input", "raw", "model", "page", "report"}
    assert {"landing/ecommerce/orders", "raw_ecommerce.orders", "page_ecommerce"} <= graph.boxes.keys()
    assert graph.boxes["raw_ecommerce.orders"].columns == [
        "raw_ecommerce.orders.quantity",
        "raw_ecommerce.orders.unit_price",
    ]
    # A page that reads only what the measure comes from is not reached by it.
    only_before = {"page_quality_ecommerce"}
    assert not only_before & graph.boxes.keys()
    before = graph_of(lineage, "marts.fct_orders.revenue", UPSTREAM)
    after = graph_of(lineage, "marts.fct_orders.revenue", DOWNSTREAM)
    assert before.boxes.keys() & after.boxes.keys() == {"marts.fct_orders"}
    assert before.boxes.keys() | after.boxes.keys() == graph.boxes.keys()


def test_what_only_decides_rows_is_dashed(lineage: Lineage) -> None:
    graph = graph_of(lineage, "raw_ecommerce.orders.unit_price", DOWNSTREAM)
    assert ("clean.clean_ecommerce__orders", "marts.audit_ecommerce__row_counts") in graph.decides
    assert not graph.boxes["marts.audit_ecommerce__row_counts"].columns
    assert "stroke-dasharray" in drawn(graph, lineage)


@pytest.mark.parametrize("direction", [BOTH, UPSTREAM, DOWNSTREAM])
def test_every_edge_goes_to_the_right_for_every_name(lineage: Lineage, direction: str) -> None:
    names = [
        *lineage.tables,
        *lineage.readers,
        *(f"{name}.{next(iter(table.columns))}" for name, table in lineage.tables.items()),
    ]
    for name in names:
        graph = graph_of(lineage, name, direction)
        assert graph.box_of(name) in graph.boxes
        for one, other in graph.edges | graph.decides:
            boxes = graph.boxes[graph.box_of(one)], graph.boxes[graph.box_of(other)]
            assert boxes[0].layer < boxes[1].layer, (name, one, other)


def test_boxes_of_a_large_graph_do_not_overlap(lineage: Lineage) -> None:
    graph = graph_of(lineage, "marts.agg_platform_day")
    boxes = [tuple(map(int, each)) for each in BOX.findall(drawn(graph, lineage))]
    assert len(boxes) == len(graph.boxes) > 40
    for number, (x, y, width, height) in enumerate(boxes):
        for other_x, other_y, other_width, other_height in boxes[:number]:
            apart = x + width <= other_x or other_x + other_width <= x
            assert apart or y + height <= other_y or other_y + other_height <= y
