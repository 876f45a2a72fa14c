"""How rows moved through the stages: bars joined by ribbons, losses fading out to the right.

The picture is linear in rows, so a stage of few rows is thin beside one of many; that is the honest picture.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from corpus.plots.marks import bar, coordinate, drawing, legend, tag, text
from corpus.plots.safe import escape, number, share

WIDTH, LEFT, RIGHT, BAR = 960, 70, 150, 12
HIGH, GAP, TOP = 230, 66, 46  # height of the fullest column, room between the nodes of a column, room above
FADE = 74  # length of a ribbon that comes from or goes to nowhere


@dataclass(frozen=True, slots=True)
class Node:
    """One stage: rows that came in and rows that left, and the stages whose kept rows it took."""

    name: str
    taken: int
    made: int
    repeated: int
    kept: int
    rejected: int
    unused: int
    sources: tuple[str, ...] = ()

    @property
    def total(self) -> int:
        """All rows that came in."""
        return self.taken + self.made + self.repeated


@dataclass(slots=True)
class _Place:
    x: float
    y: float
    scale: float
    node: Node
    filled: float = 0.0
    offset: dict[str, float] = field(default_factory=dict)

    @property
    def height(self) -> float:
        return max(self.node.total * self.scale, 3.0)


def flow(title: str, nodes: Sequence[Node]) -> str:
    """The picture of `nodes`, given in an order in which sources come before the stages that use them."""
    nodes = direct([node for node in nodes if node.total])
    places = _placed(nodes)
    bottom = max((place.y + place.height for place in places.values()), default=0)
    marks = [_fades(), *(mark for place in places.values() for mark in _ribbons(place, places))]
    marks += [mark for place in places.values() for mark in _node(place)]
    summary = "; ".join(
        f"{n.name}: {number(n.total)} in, {number(n.kept)} kept, {number(n.rejected)} rejected, "
        f"{number(n.unused)} unused"
        for n in nodes
    )
    key = legend(
        [
            ("kept", "kept"),
            ("rejected", "rejected"),
            ("unused", "unused"),
            ("made", "entered here: read, written or repeated"),
        ]
    )
    return drawing(WIDTH, bottom + 44, title, f"Rows by stage. {summary}.", marks, "wide") + key


def direct(nodes: Sequence[Node]) -> list[Node]:
    """The same flow without detours: a source that another source stands for, and stages that only look at rows."""
    above: dict[str, set[str]] = {}
    for node in nodes:
        above[node.name] = {name for source in node.sources for name in {source, *above.get(source, ())}}
    found: list[Node] = []
    stands_for: dict[str, str] = {}
    for node in nodes:
        known = [name for name in node.sources if name in above]
        near = [name for name in known if not any(name in above[other] for other in known)]
        node = replace(node, sources=tuple(dict.fromkeys(stands_for.get(name, name) for name in near)))
        if len(node.sources) == 1 and node.kept == node.total == node.taken:
            stands_for[node.name] = node.sources[0]
        else:
            found.append(node)
    return found


def depths(nodes: Sequence[Node]) -> dict[str, int]:
    """Column of each node: one right of its rightmost source."""
    found: dict[str, int] = {}
    for node in nodes:
        found[node.name] = max((found[source] + 1 for source in node.sources if source in found), default=0)
    return found


def _placed(nodes: Sequence[Node]) -> dict[str, _Place]:
    column_of = depths(nodes)
    columns: list[list[Node]] = [[] for _ in range(max(column_of.values(), default=0) + 1)]
    for node in nodes:
        columns[column_of[node.name]].append(node)
    fullest = max((sum(node.total for node in column) for column in columns), default=0) or 1
    tallest = max((HIGH + GAP * (len(column) - 1) for column in columns), default=HIGH)
    step = (WIDTH - LEFT - RIGHT) / max(len(columns) - 1, 1)
    places: dict[str, _Place] = {}
    for index, column in enumerate(columns):
        scale = HIGH / fullest
        used = sum(max(node.total * scale, 3.0) for node in column) + GAP * (len(column) - 1)
        y = TOP + (tallest - used) / 2
        for node in sorted(column, key=lambda item: _middle(item, places)):
            places[node.name] = _Place(LEFT + index * step, y, scale, node)
            y += places[node.name].height + GAP
    return places


def _middle(node: Node, places: Mapping[str, _Place]) -> float:
    """Where a node's sources lie on average; keeps ribbons from crossing."""
    found = [places[name].y for name in node.sources if name in places]
    return sum(found) / len(found) if found else 0.0


def _ribbons(place: _Place, places: Mapping[str, _Place]) -> list[str]:
    """What comes in from sources or begins here, then what leaves for nowhere."""
    node, marks = place.node, []
    sources = sorted((places[name] for name in node.sources if name in places), key=lambda source: source.y)
    offered = sum(source.node.kept for source in sources) or 1
    y = place.y
    for source in sources:
        rows = node.taken * source.node.kept / offered
        tip = f"{source.node.name} to {node.name}: {number(round(rows))} rows"
        marks.append(_ribbon(source.x + BAR, source.y, place.x, y, max(rows * place.scale, 1.0), tip))
        y += rows * place.scale
    made = node.made + node.repeated + (0 if sources else node.taken)
    if made:
        marks.append(bar(place.x - FADE * 0.7, y, FADE * 0.7, max(made * place.scale, 1.5), "fade-in"))
    y = place.y + node.kept * place.scale
    for rows, kind in ((node.rejected, "rejected"), (node.unused, "unused")):
        if rows:
            high = max(rows * place.scale, 1.5)
            marks.append(bar(place.x + BAR, y, FADE, high, f"fade-{kind}", f"{node.name}: {number(rows)} {kind}"))
            y += rows * place.scale
    return marks


def _ribbon(x1: float, y1: float, x2: float, y2: float, high: float, tip: str) -> str:
    middle = (x1 + x2) / 2
    n = coordinate
    shape = (
        f"M{n(x1)},{n(y1)}C{n(middle)},{n(y1)} {n(middle)},{n(y2)} {n(x2)},{n(y2)}V{n(y2 + high)}"
        f"C{n(middle)},{n(y2 + high)} {n(middle)},{n(y1 + high)} {n(x1)},{n(y1 + high)}Z"
    )
    return tag("path", tag("title", escape(tip, 200)), d=shape, class_="ribbon")


def _node(place: _Place) -> list[str]:
    node, y, marks = place.node, place.y, []
    for rows, kind in ((node.kept, "kept"), (node.rejected, "rejected"), (node.unused, "unused")):
        if rows:
            high = max(rows * place.scale, 1.5)
            marks.append(bar(place.x, y, BAR, high, kind, f"{node.name}: {number(rows)} {kind}"))
            y += rows * place.scale
    marks.append(text(place.x, place.y - 22, node.name, "strong halo"))
    marks.append(text(place.x, place.y - 7, f"{number(node.kept)} kept · {share(node.kept, node.total)}", "tick halo"))
    below = place.y + place.height + 15
    for rows, kind in ((node.rejected, "rejected"), (node.unused, "unused")):
        if rows:
            marks.append(text(place.x, below, f"{number(rows)} {kind}", f"small tone-{kind} halo"))
            below += 14
    return marks


def _fades() -> str:
    made = []
    for kind, ends in (("in", (0, 0.5)), ("rejected", (0.5, 0)), ("unused", (0.5, 0))):
        stops = [
            tag("stop", offset=str(index), class_=f"stop-{kind}", stop_opacity=str(end))
            for index, end in enumerate(ends)
        ]
        made.append(tag("linearGradient", *stops, id=f"flow-{kind}"))
    return tag("defs", *made)
