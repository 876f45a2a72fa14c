"""The plots say what the facts say, and stand in every light: empty, single, huge, unfit."""

from __future__ import annotations

import itertools
import math
import re
import xml.etree.ElementTree as ElementTree

import pytest

from corpus import facts
from corpus.errors import StateError
from corpus.plots import draw
from corpus.plots.axes import Scale, round_ticks, span
from corpus.plots.counts import ranked
from corpus.plots.curves import thinned
from corpus.plots.flow import Node, depths, direct, flow
from corpus.plots.grid import short_cells
from corpus.plots.histogram import median_of
from corpus.plots.safe import duration, number, short, shown
from corpus.plots.tables import numbers, table

NAN = float("nan")
FACTS = {
    "histogram": facts.histogram("Lengths", "words", [1, 2, 2, 3, 9]),
    "histogram of none": facts.histogram("Lengths", "words", []),
    "histogram of one": facts.histogram("Lengths", "words", [5.0]),
    "histogram by verdict": facts.histogram("Score", "", [0.1, 0.9], groups=["rejected", "kept"]),
    "histogram by many groups": facts.histogram("Score", "", range(40), groups=[f"g{i % 20}" for i in range(40)]),
    "grid": facts.grid("Cells", ["a", "b"], ["x", "y"], [[1, None], [3, 0]], [[1, None], [4, 2]]),
    "grid without targets": facts.grid("Cells", ["a"], ["x"], [[2.5]]),
    "grid of none": facts.grid("Cells", [], [], []),
    "curves": facts.curves("Loss", "tokens", "nats", {"raw": [(0, 9.0), (10, 3.0)], "mix": [(0, 8.0), (10, 2.9)]}),
    "curves in log": facts.curves("Loss", "tokens", "nats", {"raw": [(0, 900.0), (10, 3.0)]}, log_y=True),
    "curves of one point": facts.curves("Loss", "tokens", "nats", {"raw": [(1, 2.0)]}),
    "curves of none": facts.curves("Loss", "tokens", "nats", {}),
    "curves with NaN": facts.curves("Loss", "tokens", "nats", {"raw": [(0, NAN), (1, 2.0), (2, math.inf)]}),
    "counts": facts.counts("Reasons", {"short": 3, "loop": 12}),
    "counts of none": facts.counts("Reasons", {}),
    "counts below zero": facts.counts("Change", {"down": -3.5, "up": 2.0}),
}


@pytest.mark.parametrize("name", FACTS)
def test_every_picture_is_well_formed_named_and_inside_its_frame(name: str) -> None:
    for picture in re.findall(r"<svg xmlns.*?</svg>", draw(name, FACTS[name]), re.S):
        root = ElementTree.fromstring(picture)
        title, desc = (root.find(f"{{http://www.w3.org/2000/svg}}{tag}") for tag in ("title", "desc"))
        assert title is not None
        assert title.text == FACTS[name]["title"]
        assert desc is not None
        assert desc.text
        assert "nan" not in picture.lower()
        assert "inf" not in re.sub(r"<(title|desc)>.*?</\1>", "", picture)
        _, _, width, height = map(float, root.attrib["viewBox"].split())
        for bar in root.iter("{http://www.w3.org/2000/svg}rect"):
            assert float(bar.attrib["x"]) + float(bar.attrib["width"]) <= width + 1
            assert float(bar.attrib["y"]) + float(bar.attrib["height"]) <= height + 1


def test_a_histogram_draws_one_bar_for_each_filled_bin_as_high_as_its_count() -> None:
    fact = {"kind": "histogram", "title": "T", "unit": "", "edges": [0, 1, 2, 3], "series": {"all": [2, 0, 8]}}
    heights = [float(h) for h in re.findall(r'<rect [^>]*height="([\d.]+)" class="s0"', draw("t", fact))]
    assert len(heights) == 2
    assert heights[1] == pytest.approx(4 * heights[0], rel=0.01)


def test_rejected_bars_stand_on_kept_ones() -> None:
    fact = {"kind": "histogram", "title": "T", "unit": "", "edges": [0, 1], "series": {"rejected": [1], "kept": [3]}}
    found = {
        c: float(y)
        for y, c in re.findall(r'<rect [^>]*y="([\d.]+)"[^>]*class="(kept|rejected)"><title', draw("t", fact))
    }
    assert found["rejected"] < found["kept"]


def test_a_threshold_is_marked_where_it_lies() -> None:
    fact = {**FACTS["histogram"], "edges": [0.0, 10.0], "series": {"all": [5]}, "thresholds": {"at least": 2.5}}
    place = float(re.findall(r'<line x1="([\d.]+)"[^>]*class="threshold"', draw("t", fact))[0])
    assert place == pytest.approx(44 + 0.25 * (460 - 12 - 44), abs=0.1)


@pytest.mark.parametrize(
    ("counts", "middle"), [([4], 0.5), ([1, 0, 1], 1.0), ([0, 10, 0], 1.5), ([0, 0, 0], None), ([1, 3], 4 / 3)]
)
def test_the_median_of_bins_is_linear_within_its_bin(counts: list[int], middle: float | None) -> None:
    assert median_of(range(len(counts) + 1), counts) == pytest.approx(middle)


def test_short_cells_are_those_below_target_the_emptiest_first() -> None:
    assert short_cells(FACTS["grid"]) == [("b", "y", 0, 2), ("b", "x", 3, 4)]
    picture = draw("grid", FACTS["grid"])
    assert len(re.findall(r'class="h\d short" rx="3"', picture)) == 2
    assert len(re.findall(r'class="hole" rx="3"', picture)) == 1


def test_curves_drop_what_is_not_a_number_and_keep_peaks_when_thinned() -> None:
    points = [(float(i), 5.0) for i in range(10_000)]
    points[4321] = (4321.0, 99.0)
    kept = thinned(points)
    assert len(kept) <= 401
    assert (4321.0, 99.0) in kept
    assert kept[0] == points[0]
    assert kept[-1] == points[-1]


def test_a_steep_start_is_cut_and_the_cut_is_told() -> None:
    points = [(float(i), 9.0 if i < 3 else 3.0 + 1 / i) for i in range(300)]
    picture = draw("loss", facts.curves("Loss", "steps", "nats", {"raw": points}))
    assert "11 of 300 points, mostly the first, lie above" in picture


def test_end_labels_of_lines_never_touch() -> None:
    series = {f"arm{i}": [(0, 1.0), (1, 2.0 + i / 1e6)] for i in range(5)}
    found = re.findall(r'<text x="780" y="([\d.]+)"', draw("loss", facts.curves("Loss", "x", "y", series)))
    places = sorted(map(float, found))
    assert len(places) == 5
    assert min(b - a for a, b in itertools.pairwise(places)) >= 16


def test_counts_beyond_the_limit_are_summed_not_lost() -> None:
    values = {f"reason{i}": i for i in range(100)} | {"bad": NAN}
    rows = ranked(values)
    assert len(rows) == 14
    assert sum(value for _, value in rows) == sum(range(100))


def test_the_flow_draws_each_share_to_one_scale_and_links_follow_inputs() -> None:
    nodes = [Node("read", 0, 1000, 0, 800, 200, 0), Node("made", 0, 100, 0, 100, 0, 0),
             Node("filter", 900, 0, 0, 450, 450, 0, ("read", "made")), Node("empty", 0, 0, 0, 0, 0, 0)]  # fmt: skip
    assert depths(nodes)["filter"] == 1
    picture = flow("Rows", nodes)
    ElementTree.fromstring(picture[: picture.index("</svg>") + 6])
    heights = dict(re.findall(r'height="([\d.]+)" class="(?:kept|rejected)"><title>(\w+: [\d,]+ \w+)', picture))
    by_name = {name: float(height) for height, name in heights.items()}
    assert by_name["read: 800 kept"] == pytest.approx(4 * by_name["read: 200 rejected"], rel=0.01)
    assert "read to filter: 800 rows" in picture
    assert "made to filter: 100 rows" in picture
    assert "empty" not in picture


@pytest.mark.parametrize("broken", [
    {"kind": "grid", "title": "x"}, {"kind": "curves", "title": "x", "series": 3, "x": "", "y": ""},
    {"kind": "histogram", "title": "x", "edges": [], "series": {}},
    {"kind": "counts", "title": "x", "values": {"a": "b"}},
])  # fmt: skip
def test_a_fact_without_its_fields_is_named(broken: dict) -> None:
    with pytest.raises(StateError, match=rf"'where\.it'.*{broken['kind']}"):
        draw("where.it", broken)


def test_a_kind_that_nobody_knows_is_shown_as_it_is() -> None:
    assert "&quot;violin&quot;" in draw("new", {"kind": "violin", "title": "x"})


def test_table_figures_share_their_decimals_and_ids_are_short() -> None:
    html = table(["name", "bits", "id"], [["raw", 2.4, "a" * 32], ["mix", 2.315, "b" * 32]])
    assert '<td class="figure">2.400</td>' in html
    assert '<td class="figure">2.315</td>' in html
    assert f'<code title="{"a" * 32}">{"a" * 12}</code>' in html


@pytest.mark.parametrize("name", [name for name in FACTS if "none" not in name])
def test_the_numbers_stand_beside_every_picture(name: str) -> None:
    assert numbers(FACTS[name]).startswith("<details>")


@pytest.mark.parametrize(("low", "high"), [(0, 1), (0, 5213), (-3, 3), (1e-9, 2e-9), (5, 5)])
def test_ticks_are_round_and_inside(low: float, high: float) -> None:
    ticks = round_ticks(low, high)
    assert ticks
    assert all(low - 1e-12 <= tick <= high + 1e-12 for tick in ticks)
    assert len(ticks) <= 11


def test_scales_map_ends_to_ends() -> None:
    scale = Scale(1, 1000, 0, 300, log=True)
    assert scale(1) == 0
    assert scale(1000) == pytest.approx(300)
    assert scale(10) == pytest.approx(100)
    assert scale.ticks()[0] == 1
    assert span([]) == (0.0, 1.0)
    assert span([3, 3]) == pytest.approx((2.7, 3.3))


@pytest.mark.parametrize(("value", "text"), [
    (1234567, "1,234,567"), (-4, "−4"), (0.123456, "0.1235"), (12345.6, "12,346"), (None, "–"), (NAN, "n/a"),
    (2.0, "2"), (True, "yes"),
])  # fmt: skip
def test_figures_read_well(value: object, text: str) -> None:
    assert number(value) == text


def test_short_figures_and_durations() -> None:
    assert [short(v) for v in (999, 1500, 2_000_000, 0.25)] == ["999", "1.5k", "2M", "0.25"]
    assert [duration(s) for s in (0.44, 42, 200, 7500)] == ["0.4 s", "42 s", "3 min 20 s", "2 h 05 min"]


def test_shown_text_keeps_no_invisible_character() -> None:
    assert shown("a\x00b\u202ec\ud800d\u2028e\x85f\x9bg") == "a␀b[U+202E]c\ufffdd\ne\nf\ufffdg"
    assert shown("x" * 100, 10) == "x" * 9 + "…"


@pytest.mark.parametrize("fact", [
    facts.grid("G", list("abcdefgh") * 9, ["x"], [[1.0]] * 72), facts.table("T", ["x"], [[1]] * 999),
    facts.curves("L", "x", "y", {str(i): [(0, 1.0), (1, 2.0)] for i in range(30)}),
])  # fmt: skip
def test_what_is_left_out_is_said(fact: dict) -> None:
    assert "Drawn are" in draw("x", fact) or "799 further rows are not shown" in draw("x", fact)


def test_the_flow_leaves_out_detours_and_stages_that_only_pass_on() -> None:
    nodes = [
        Node("read", 0, 10, 0, 10, 0, 0),
        Node("score", 10, 0, 0, 10, 0, 0, ("read",)),
        Node("filter", 10, 0, 0, 6, 4, 0, ("read", "score")),
        Node("evaluate", 6, 0, 0, 6, 0, 0, ("read", "filter")),
    ]
    found = {node.name: node.sources for node in direct(nodes)}
    assert found == {"read": (), "filter": ("read",)}


def test_ribbons_enter_a_stage_in_the_order_of_their_sources_on_the_page() -> None:
    nodes = [Node("read", 0, 900, 0, 900, 0, 0), Node("made", 0, 100, 0, 100, 0, 0),
             Node("filter", 1000, 0, 0, 500, 500, 0, ("made", "read"))]  # fmt: skip
    ends = dict(re.findall(r"<path d=\"M.*? \d[\d.]*,([\d.]+)V.*?<title>(\w+) to filter", flow("Rows", nodes)))
    by_source = {name: float(y) for y, name in ends.items()}
    assert by_source["read"] < by_source["made"]


def test_a_row_of_a_histogram_is_named_where_its_bars_are_low() -> None:
    edges, series = [0, 1, 2], {"low": [9, 0], "high": [0, 9]}
    picture = draw("t", {"kind": "histogram", "title": "T", "unit": "", "edges": edges, "series": series})
    assert re.search(r'text-anchor="end">low', picture)
    assert re.search(r'class="label halo">high', picture)
