"""Draws a graph of lineage: boxes side by side with edges, or one below the other where the screen is narrow.

Streamlit takes no SVG that is part of a page, so that the boxes are HTML, and the edges an image behind them.
"""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from urllib.parse import quote

from dashboard.figures import LABEL, address
from dashboard.lineage_graph import INPUT, READERS, UPSTREAM, Box, Graph
from dashboard.states import PALETTE

HEAD, ROW, GAP, SPACE = 40, 20, 34, 14
# Widths in pixels: of a character of a name and of the small ones above it, of the border and the space in it.
CHARACTER, SMALL, BORDER = 6.6, 5.6, 18
MAX_WIDTH = 210
# A graph that is wider than the page is drawn smaller, but not smaller than can be read; the rest is scrolled to.
PAGE, SMALLEST = 1000, 0.75
MAX_COLUMNS = 12
COLORS = {
    INPUT: PALETTE[5],
    "raw": PALETTE[2],
    "seed": PALETTE[2],
    "model": PALETTE[0],
    "mart": PALETTE[1],
    "page": PALETTE[3],
    "report": PALETTE[3],
}
# The text has the colour of the page's, so that it is readable on light and dark.
STYLE = """
<style>
.lineage { overflow-x: auto; padding-bottom: 8px; }
.lineage.at-end { direction: rtl; }
.lineage > div { direction: ltr; position: relative; font-size: 12px; line-height: 16px; }
.lineage img { position: absolute; left: 0; top: 0; max-width: none; }
.lineage .box { position: absolute; box-sizing: border-box; border: 1px solid; border-radius: 4px;
  background: Canvas; overflow: hidden; }
.lineage a, .lineage span { display: block; overflow: hidden; text-overflow: ellipsis; white-space: nowrap;
  box-sizing: border-box; padding: 2px 8px; height: 20px; }
.lineage .head { height: 39px; }
.lineage .small { font-size: 10px; opacity: 0.75; }
.lineage a, .lineage-list a { color: inherit; text-decoration: none; }
.lineage a:hover, .lineage-list a:hover { text-decoration: underline; }
.lineage-list { display: none; }
.lineage-list div { border: 1px solid; border-left-width: 5px; border-radius: 4px; padding: 4px 8px; margin: 2px 0; }
.lineage-list p { margin: 2px 0; text-align: center; opacity: 0.6; }
.lineage-list a { display: block; overflow-wrap: anywhere; padding: 2px 0; }
.lineage-list .small { font-size: 12px; opacity: 0.75; }
@media (max-width: 640px) { .lineage { display: none; } .lineage-list { display: block; } }
</style>
"""


@dataclass(frozen=True)
class Texts:
    """What boxes say, each by its name: labels of pages and reports, short notes, and tips for boxes and columns."""

    labels: Mapping[str, str]
    notes: Mapping[str, str]
    tips: Mapping[str, str]

    def title(self, box: Box) -> tuple[str, str]:
        """Return the small text above a name, and the name without what that text says."""
        small, name = self._title(box)
        return (f"{small} · {self.notes[box.name]}" if box.name in self.notes else small), name

    def _title(self, box: Box) -> tuple[str, str]:
        if box.kind in READERS:
            return box.kind, self.labels[box.name].removeprefix(f"{box.kind.capitalize()} ")
        if box.kind == INPUT:
            kind, domain, name = box.name.split("/")
            return f"{kind} {domain}", name
        schema, _, table = box.name.partition(".")
        prefix, _, entity = table.partition("__")
        return (prefix, entity) if entity and schema != "marts" else (schema, table)


def draw(graph: Graph, texts: Texts) -> str:
    """Return the graph as HTML; the size of the screen decides which of its two forms is shown."""
    layers: dict[int, list[Box]] = defaultdict(list)
    for box in graph.boxes.values():
        layers[box.layer].append(box)
    ordered = _ordered(graph, [layers[number] for number in sorted(layers)])
    return f"{STYLE}{_wide(graph, ordered, texts)}{_narrow(graph, ordered, texts)}"


def _ordered(graph: Graph, layers: list[list[Box]]) -> list[list[Box]]:
    """Return the boxes of each layer in an order in which few edges cross: by the mean place of their neighbours."""
    near: dict[str, set[str]] = defaultdict(set)
    for one, other in graph.edges | graph.decides:
        near[graph.box_of(one)].add(graph.box_of(other))
        near[graph.box_of(other)].add(graph.box_of(one))
    layers = [sorted(layer, key=lambda box: (not box.columns, box.name)) for layer in layers]
    places = {box.name: place / len(layer) for layer in layers for place, box in enumerate(layer)}
    for sweep in range(4):
        for layer in layers if sweep % 2 == 0 else reversed(layers):
            wanted = {
                box.name: sum(places[each] for each in near[box.name]) / len(near[box.name])
                if near[box.name]
                else places[box.name]
                for box in layer
            }
            layer.sort(key=lambda box: (wanted[box.name], box.name))
            places |= {box.name: place / len(layer) for place, box in enumerate(layer)}
    return layers


def _wide(graph: Graph, layers: list[list[Box]], texts: Texts) -> str:
    heights = [sum(_height(box) + SPACE for box in layer) for layer in layers]
    boxes: list[str] = []
    ports: dict[
        str, tuple[float, float, float]
    ] = {}  # where edges leave and meet a box or column, and its height
    left = 0.0
    for layer, height in zip(layers, heights, strict=True):
        width = max(_width(box, texts) for box in layer)
        top = (max(heights) - height) / 2
        for box in layer:
            boxes.append(_box(graph, box, texts, left, top, width))
            ports[box.name] = (left + width, left, top + HEAD / 2)
            for place, column in enumerate(box.columns):
                row = min(place, MAX_COLUMNS - 1)
                ports[column] = (left + width, left, top + HEAD + row * ROW + ROW / 2)
            top += _height(box) + SPACE
        left += width + GAP
    paths = [_edge(ports[one], ports[other]) for one, other in sorted(graph.edges)]
    paths += [
        _edge(ports[one], ports[other], "stroke-dasharray='3 4'") for one, other in sorted(graph.decides)
    ]
    zoom = min(1.0, max(SMALLEST, PAGE / left))
    size = f"width='{left:.0f}' height='{max(heights):.0f}'"
    image = (
        f"<svg xmlns='http://www.w3.org/2000/svg' {size} fill='none' stroke='{LABEL}'>{''.join(paths)}</svg>"
    )
    return (
        f'<div class="lineage {"at-end" if _is_at_end(graph) else ""}"><div style="width: {left:.0f}px; height: {max(heights):.0f}px; zoom: {zoom:.2f}">'
        f'<img alt="" src="data:image/svg+xml,{quote(image)}">{"".join(boxes)}</div></div>'
    )


def _is_at_end(graph: Graph) -> bool:
    """Whether the focus would be out of sight if a wide graph was shown from its beginning."""
    last = max(box.layer for box in graph.boxes.values())
    return graph.direction == UPSTREAM or graph.boxes[graph.box_of(graph.focus)].layer > last * 0.7


def _edge(one: tuple[float, float, float], other: tuple[float, float, float], dashes: str = "") -> str:
    x, y, to_x, to_y = one[0], one[2], other[1], other[2]
    bend = max((to_x - x) / 2, GAP / 2)
    return f"<path d='M{x:.0f} {y:.0f}C{x + bend:.0f} {y:.0f} {to_x - bend:.0f} {to_y:.0f} {to_x:.0f} {to_y:.0f}' {dashes}/>"


def _box(graph: Graph, box: Box, texts: Texts, left: float, top: float, width: float) -> str:
    color = _color(box)
    small, name = texts.title(box)
    place = f"left: {left:.0f}px; top: {top:.0f}px; width: {width:.0f}px; height: {_height(box)}px"
    thick = "; box-shadow: 0 0 0 2px" if box.name == graph.focus else ""
    parts = [
        f'<div class="box" style="{place}; border-color: {color}{thick}">',
        _link(
            box.name,
            f'<small class="small">{escape(small)}</small><br><b>{escape(name)}</b>',
            texts.tips.get(box.name, box.name),
            f"background: {color}38",
            "head",
        ),
    ]
    for number, column in enumerate(box.columns[:MAX_COLUMNS]):
        text, target = column.rpartition(".")[2], column
        if number == MAX_COLUMNS - 1 and len(box.columns) > MAX_COLUMNS:
            text, target = f"and {len(box.columns) - number} more", box.name
        style = f"background: {color}70; font-weight: bold" if column == graph.focus else ""
        parts.append(_link(target, escape(text), texts.tips.get(target, target), style))
    return "".join([*parts, "</div>"])


def _link(name: str, inner: str, tip: str, style: str = "", kind: str = "") -> str:
    shown = f'class="{kind}" style="{style}" title="{escape(tip)}"'
    if "/" in name:
        return f"<span {shown}>{inner}</span>"
    return f'<a href="{address(name)}" target="_self" {shown}>{inner}</a>'


def _narrow(graph: Graph, layers: list[list[Box]], texts: Texts) -> str:
    parts = []
    for layer in layers:
        cards = []
        for box in layer:
            small, name = texts.title(box)
            title = f"<b>{escape(name)}</b>"
            if box.kind != INPUT:
                title = f'<a href="{address(box.name)}" target="_self">{title}</a>'
            links = [
                f'<a href="{address(each)}" target="_self">'
                f"{'▸ ' if each == graph.focus else ''}{escape(each.rpartition('.')[2])}</a>"
                for each in box.columns
            ]
            cards.append(
                f'<div style="border-color: {_color(box)}"><span class="small">{escape(small)}</span> {title}{"".join(links)}</div>'
            )
        parts.append("".join(cards))
    return f'<div class="lineage-list">{"<p>↓</p>".join(parts)}</div>'


def _color(box: Box) -> str:
    return COLORS["mart" if box.name.startswith("marts.") else box.kind]


def _width(box: Box, texts: Texts) -> float:
    small, name = texts.title(box)
    longest = max((len(each.rpartition(".")[2]) for each in box.columns), default=0)
    needed = max(len(name) * CHARACTER * 1.05, longest * CHARACTER, len(small) * SMALL) + BORDER
    return min(needed, MAX_WIDTH)


def _height(box: Box) -> int:
    return HEAD + ROW * min(len(box.columns), MAX_COLUMNS) + 1
