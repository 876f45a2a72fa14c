"""The report: one HTML file that shows what a run did, drawn from the manifests of its stages and nothing else.

It opens from disk, asks the network for nothing (its own policy forbids it), reads without scripts, and knows no stage:
facts with known names have their place, all others are drawn by their kind.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.resources import files
from string import Template

from corpus.facts import Fact
from corpus.manifest import Manifest
from corpus.plots import draw, provenance
from corpus.plots.counts import counts
from corpus.plots.flow import Node, flow
from corpus.plots.grid import short_cells
from corpus.plots.safe import duration, escape, number, share
from corpus.plots.samples import samples
from corpus.plots.tables import numbers, table


@dataclass(frozen=True, slots=True)
class Section:
    """One part of the page; `facts` are the fact names, or first parts of names, that belong to it."""

    id: str
    short: str
    heading: str
    say: str
    facts: tuple[str, ...] = ()


SECTIONS = (
    Section(
        "finding",
        "Finding",
        "What was found",
        "What the intervals over seeds allow to be said, and nothing more.",
        ("loop.verdict", "loop.cells", "loop.budgets", "loop.lines", "arms.verdict"),
    ),
    Section(
        "flow",
        "Rows",
        "What happened to the rows",
        "Every row that came in was kept, rejected for a named reason, or "
        "left unused. Nothing disappears between two stages.",
        ("funnel", "yield", "reasons", "requests"),
    ),
    Section(
        "coverage",
        "Coverage",
        "What was asked for, and what came",
        "Each cell is one kind of document in the plan: documents kept, and how many were wanted.",
        ("coverage", "yield.slots", "yield.short"),
    ),
    Section(
        "diversity",
        "Diversity",
        "How much the written texts differ",
        "Measured on what was kept: repeated openings and sentence skeletons, distinct word sequences, compression.",
        ("diversity",),
    ),
    Section(
        "texts",
        "Texts",
        "The shape of the texts",
        "Distributions over documents. A dashed line is a limit of the recipe; an upright mark is a median.",
        ("sources", "clean", "lengths", "scores", "quality", "languages", "language"),
    ),
    Section(
        "repeats",
        "Repeats",
        "Repeats",
        "Documents that say what another one says already; the better of the two stays.",
        ("duplicates",),
    ),
    Section("mix", "Mix", "The mix", "What the student reads, by source.", ("blend", "mix", "epochs", "arms.blend")),
    Section(
        "student",
        "Student",
        "The student",
        "The same small model, trained once for each arm at equal tokens.",
        (
            "arms",
            "loss",
            "loss.source",
            "loss.language",
            "watched",
            "bpb",
            "student",
            "student.cost",
            "samples.student",
            "samples.arms",
        ),
    ),
    Section(
        "read",
        "Samples",
        "Kept and rejected, side by side",
        "Drawn by the recipe's seed. Sensitive text was taken out before it was stored.",
        ("samples",),
    ),
    Section(
        "cost",
        "Cost",
        "What it cost",
        "What the teacher was paid for, beside what a pilot forecast where there was one.",
        ("ledger",),
    ),
    Section("time", "Time", "Where the time went", "Wall-clock time by stage; stages may overlap.", ("time",)),
    Section("more", "More", "Further facts", "What else the stages counted."),
    Section(
        "provenance",
        "Provenance",
        "Where it comes from",
        "Enough to make it again, and to tell whether it is the same.",
    ),
)
WIDE = frozenset({"grid", "curves", "table", "samples"})  # kinds that take the whole width
TILES, TOTALS = 8, 3  # headline figures, and how many of them are totals
FIRST = ("documents", "tokens")  # totals that lead
Placed = tuple[str, str, Fact]  # stage, fact name, fact


def render_report(title: str, manifests: Mapping[str, Manifest]) -> str:
    """The page as text. `manifests` maps stage to manifest in the order the stages ran."""
    placed = _places(manifests)
    bodies = {part.id: _body(part.id, placed.get(part.id, []), manifests) for part in SECTIONS}
    filled = [part for part in SECTIONS if bodies[part.id]]
    script = _asset("report_page.js")
    return Template(_asset("report_page.html")).substitute(
        title=escape(title, 120),
        label=escape(" · ".join(sorted({f"{item.name}@{item.version}" for item in manifests.values()}))),
        lead=escape(_lead(manifests), 400),
        tiles=_tiles(manifests),
        contents="".join(f'<li><a href="#{part.id}">{part.short}</a></li>' for part in filled),
        sections="\n".join(_framed(part, bodies[part.id]) for part in filled),
        style=_asset("report_page.css"),
        script=script,
        script_hash="sha256-" + base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(),
    )


def section_of(name: str) -> str:
    """The section that a fact belongs to: the longest known first part of its name decides."""
    return _home(name)[0]


def _home(name: str) -> tuple[str, int]:
    """Section of a fact, and its rank among the names of that section."""
    known = {prefix: (part.id, rank) for part in SECTIONS for rank, prefix in enumerate(part.facts)}
    parts = name.split(".")
    for length in range(len(parts), 0, -1):
        if (found := known.get(".".join(parts[:length]))) is not None:
            return found
    return "more", 0


def _asset(name: str) -> str:
    return (files("corpus") / name).read_text(encoding="utf-8")


def _places(manifests: Mapping[str, Manifest]) -> dict[str, list[Placed]]:
    """Facts by section, in the order of the section's names; headline numbers are in the head instead."""
    placed: dict[str, list[Placed]] = {}
    for stage, manifest in manifests.items():
        for name, fact in manifest.facts.items():
            if fact.get("kind") != "number":
                placed.setdefault(section_of(name), []).append((stage, name, fact))
    return {key: sorted(items, key=lambda item: _home(item[1])[1]) for key, items in placed.items()}


def _lead(manifests: Mapping[str, Manifest]) -> str:
    if not manifests:
        return "No stage has finished yet."
    last = list(manifests.values())[-1]
    seconds = sum(manifest.seconds for manifest in manifests.values())
    count = f"{len(manifests)} {'stage' if len(manifests) == 1 else 'stages'}"
    return f"{count}, {duration(seconds)} of work, finished {last.created[:16].replace('T', ' ')} UTC."


def _tiles(manifests: Mapping[str, Manifest]) -> str:
    """Headline figures: totals of the last stage that holds documents, then the numbers that stages name."""
    found: dict[str, tuple[str, str]] = {}
    rows = [item for item in manifests.values() if item.totals and item.of("documents")]
    for manifest in rows[-1:]:
        names = sorted(manifest.totals, key=lambda name: (name not in FIRST, name))[:TOTALS]
        found |= {name.capitalize(): (number(manifest.totals[name]), f"after {manifest.stage}") for name in names}
    for manifest in manifests.values():
        for fact in manifest.facts.values():
            if fact.get("kind") == "number":
                found[fact["title"]] = (number(fact["value"]), fact.get("unit", ""))
    if not found:
        return ""
    tiles = "".join(
        f"<div><dt>{escape(name)}</dt><dd>{escape(value, 40)} <small>{escape(unit, 40)}</small></dd></div>"
        for name, (value, unit) in list(found.items())[:TILES]
    )
    return f'<dl class="tiles">{tiles}</dl>'


def _framed(part: Section, body: str) -> str:
    return (
        f'<section id="{part.id}" aria-labelledby="{part.id}-name"><h2 id="{part.id}-name">{escape(part.heading)}</h2>'
        f'<p class="say">{escape(part.say, 300)}</p>{body}</section>'
    )


def _body(key: str, placed: list[Placed], manifests: Mapping[str, Manifest]) -> str:
    if key == "flow":
        return _rows(manifests) + _figures(placed)
    if key == "read":
        return _side_by_side(placed)
    if key == "time" and not placed:
        return _time(manifests)
    if key == "provenance":
        return _provenance(manifests)
    return _figures(placed)


def _figures(placed: list[Placed]) -> str:
    drawn = "".join(_figure(*item) for item in placed)
    return f'<div class="figures">{drawn}</div>' if drawn else ""


def _figure(stage: str, name: str, fact: Fact) -> str:
    kind = fact.get("kind", "")
    small = kind == "table" and len(fact.get("columns", ())) <= 3
    shape = "wide" if kind in WIDE and not small else "half"
    box = "main-table" if kind == "table" else "plot-box" if kind not in ("samples",) else ""
    body = draw(name, fact)
    body = f'<div class="{box}">{body}</div>' if box else body
    note = f'<p class="note">{escape(fact["caption"], 600)}</p>' if fact.get("caption") else ""
    return (
        f'<figure class="{shape}"><figcaption><h3>{escape(fact.get("title", name), 120)}</h3>'
        f'<span class="stage">{escape(stage)}</span></figcaption>{body}{note}{_short(fact)}{numbers(fact)}</figure>'
    )


def _short(fact: Fact) -> str:
    """The short cells of a grid by name, the emptiest first."""
    if fact.get("kind") != "grid" or not fact.get("targets"):
        return ""
    found = short_cells(fact)
    if not found:
        return '<p class="small">Every cell of the plan reached its target.</p>'
    rows = [[row, column, value, target, target - value] for row, column, value, target in found]
    listed = table(["row", "column", "kept", "target", "missing"], rows)
    return f"<details><summary>{len(found)} cells are short of their target</summary>{listed}</details>"


def _rows(manifests: Mapping[str, Manifest]) -> str:
    nodes = [_node(stage, manifest) for stage, manifest in manifests.items()]
    nodes = [node for node in nodes if node.total]
    if not nodes:
        return ""
    reasons = "".join(_reasons(stage, manifest) for stage, manifest in manifests.items() if manifest.reasons)
    columns = ["stage", "taken", "made", "repeated", "kept", "rejected", "unused", "kept share"]
    figures = [
        [n.name, n.taken, n.made, n.repeated, n.kept, n.rejected, n.unused, share(n.kept, n.total)] for n in nodes
    ]
    behind = f"<details><summary>Show the numbers</summary>{table(columns, figures)}</details>"
    picture = f'<div class="plot-box">{flow("Rows by stage", nodes)}</div>'
    named = f'<h3 class="gap">Why rows were not kept</h3><div class="figures">{reasons}</div>' if reasons else ""
    return f'<figure class="wide">{picture}{behind}</figure>{named}'


def _node(stage: str, manifest: Manifest) -> Node:
    b = manifest.balance
    return Node(stage, b.taken, b.made, b.repeated, b.kept, b.rejected, b.unused, tuple(manifest.inputs))


def _reasons(stage: str, manifest: Manifest) -> str:
    lost = sum(manifest.reasons.values())
    fact = {"kind": "counts", "title": stage, "values": manifest.reasons, "unit": "rows"}
    tone = "rejected" if manifest.balance.rejected else "unused"
    said = f"{number(lost)} of {number(_node(stage, manifest).total)} rows"
    return (
        f'<figure><figcaption><h3>{escape(stage)}</h3><span class="stage">{said}</span></figcaption>'
        f"{counts(fact, tone)}{numbers(fact)}</figure>"
    )


def _side_by_side(placed: list[Placed]) -> str:
    """Kept samples on the left, rejected ones on the right, any others below."""
    if not placed:
        return ""
    sides = {"samples.kept": "kept", "samples.rejected": "rejected"}
    columns = "".join(_column(verdict, [item for item in placed if item[1] == name]) for name, verdict in sides.items())
    rest = _figures([item for item in placed if item[1] not in sides])
    sieve = (
        '<div class="sieve" hidden><input type="search" aria-label="Show samples that contain" '
        'placeholder="Show samples that contain…"><output class="small"></output></div>'
    )
    return f'{sieve}<div class="sides">{columns}</div>{rest}'


def _column(verdict: str, placed: list[Placed]) -> str:
    if not placed:
        return ""
    groups: Iterator[str] = (
        f'<h3>{escape(fact["title"], 120)} <span class="stage">{escape(stage)}</span></h3>{samples(fact, verdict)}'
        for stage, _, fact in placed
    )
    return f"<div>{''.join(groups)}</div>"


def _time(manifests: Mapping[str, Manifest]) -> str:
    values = {stage: manifest.seconds for stage, manifest in manifests.items() if manifest.seconds}
    fact = {"kind": "counts", "title": "Seconds by stage", "unit": "s", "values": values}
    return f'<div class="figures"><figure>{counts(fact)}{numbers(fact)}</figure></div>' if values else ""


def _provenance(manifests: Mapping[str, Manifest]) -> str:
    if not manifests:
        return ""
    tables = [provenance.stages(manifests), provenance.hashes(manifests), provenance.licences(manifests)]
    opened = f"<details><summary>The recipe as it ran</summary>{provenance.recipe(manifests)}</details>"
    return "".join(f'<div class="gap">{part}</div>' for part in tables if part) + opened
