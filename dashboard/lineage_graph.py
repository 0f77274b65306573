"""The part of the lineage that the page draws: boxes for inputs, tables, pages and reports, and the edges between them."""

from dataclasses import dataclass, field

from lineage.graph import Lineage

# What a box stands for, besides the kinds of tables and readers.
INPUT = "input"
READERS = ("page", "report")
UPSTREAM, DOWNSTREAM, BOTH = "upstream", "downstream", "both"


@dataclass
class Box:
    """An input, a table, a page or a report.

    Attributes:
        name: its full name.
        kind: what it is: `input`, `raw`, `seed`, `model`, `page` or `report`.
        columns: the columns that belong to the lineage, each by its full name.
        layer: its place from left to right.
    """

    name: str
    kind: str
    columns: list[str] = field(default_factory=list)
    layer: int = 0


@dataclass(frozen=True)
class Graph:
    """Boxes by name, and edges between columns or boxes; `decides` are those that only decide rows."""

    focus: str
    direction: str
    boxes: dict[str, Box]
    edges: set[tuple[str, str]]
    decides: set[tuple[str, str]]

    def box_of(self, name: str) -> str:
        """Return the box that a name stands for, or that has the column of this name."""
        return name if name in self.boxes else name.rpartition(".")[0]


def graph_of(lineage: Lineage, name: str, direction: str = BOTH) -> Graph:
    """Return the graph of a column, a table, a page or a report.

    A column has the columns that its values come from and that they reach, and the tables whose rows it decides. Anything
    else has whole tables, by what reads what.
    """
    if name in lineage.tables or name in lineage.readers:
        return _of_tables(lineage, name, direction)
    return _of_columns(lineage, name, direction)


def _of_columns(lineage: Lineage, name: str, direction: str) -> Graph:
    columns = {name}
    decided: set[str] = set()
    if direction != DOWNSTREAM:
        columns |= {*lineage.upstream(name).direct}
    if direction != UPSTREAM:
        reach = lineage.downstream(name)
        columns |= {*reach.direct}
        decided = {*reach.rows}
    boxes = {table: Box(table, lineage.tables[table].kind) for table in decided}
    for column in sorted(each for each in columns if lineage.table_of(each) in lineage.tables):
        table = lineage.table_of(column)
        boxes.setdefault(table, Box(table, lineage.tables[table].kind)).columns.append(column)
    edges = {
        (source, column)
        for column in columns
        for source in lineage.column(column).sources
        if source in columns
    }
    decides = {
        (read, table) for table in decided for read in lineage.tables[table].reads if read in boxes
    } - {(lineage.table_of(one), lineage.table_of(other)) for one, other in edges}
    return _with_ends(lineage, Graph(name, direction, boxes, edges, decides))


def _of_tables(lineage: Lineage, name: str, direction: str) -> Graph:
    boxes: dict[str, Box] = {}
    starts = lineage.readers[name].reads if name in lineage.readers else (name,)
    for start in starts:
        tables = {start}
        if direction != DOWNSTREAM:
            tables |= lineage.ancestors(start)
        if direction != UPSTREAM and name in lineage.tables:
            tables |= {*lineage.downstream(start).rows}
        boxes |= {table: Box(table, lineage.tables[table].kind) for table in tables}
    edges = {(read, table) for table in boxes for read in lineage.tables[table].reads if read in boxes}
    return _with_ends(lineage, Graph(name, direction, boxes, edges, set()))


def _with_ends(lineage: Lineage, graph: Graph) -> Graph:
    """Add the inputs of raw tables and the readers of what is reached, and place all boxes."""
    tables, direction = dict(graph.boxes), graph.direction
    reached = {lineage.table_of(each) for each in _reached(graph, lineage)}
    for table in tables:
        if direction != DOWNSTREAM:
            for given in (each for each in lineage.tables[table].reads if "/" in each):
                graph.boxes[given] = Box(given, INPUT)
                graph.edges.add((given, table))
    for reader in lineage.readers.values():
        read = [table for table in reader.reads if table in reached]
        if reader.name == graph.focus or (
            direction != UPSTREAM and graph.focus not in lineage.readers and read
        ):
            graph.boxes[reader.name] = Box(reader.name, reader.kind)
            graph.edges.update((table, reader.name) for table in reader.reads if table in tables)
    _place(graph)
    return graph


def _reached(graph: Graph, lineage: Lineage) -> set[str]:
    """Return what follows the focus: pages that read what is before it do not depend on it."""
    found, left = set(), [graph.focus]
    after: dict[str, set[str]] = {}
    for one, other in graph.edges | graph.decides:
        after.setdefault(one, set()).add(other)
        after.setdefault(lineage.table_of(one) if one in graph.boxes else one, set()).add(other)
    while left:
        name = left.pop()
        if name not in found:
            found.add(name)
            left += after.get(name, ())
    return found | {table for table in graph.boxes if any(pair[1] == table for pair in graph.decides)}


def _place(graph: Graph) -> None:
    """Give each box the layer after those that it comes from."""
    before: dict[str, set[str]] = {name: set() for name in graph.boxes}
    for one, other in graph.edges | graph.decides:
        before[graph.box_of(other)].add(graph.box_of(one))
    layers: dict[str, int] = {}

    def layer(name: str, above: tuple[str, ...] = ()) -> int:
        if name not in layers:
            layers[name] = max(
                (layer(each, (*above, name)) + 1 for each in before[name] if each not in above), default=0
            )
        return layers[name]

    for name, box in graph.boxes.items():
        box.layer = layer(name)
    # What nothing here comes from stands just before what reads it: a seed beside the model, not beside the files.
    for name, box in graph.boxes.items():
        if not before[name]:
            box.layer = min(
                (graph.boxes[each].layer - 1 for each, sources in before.items() if name in sources),
                default=box.layer,
            )
    last = max((box.layer for box in graph.boxes.values() if box.kind not in READERS), default=0)
    for box in graph.boxes.values():
        if box.kind in READERS:
            box.layer = last + 1
