"""The report is one page that stands alone and says what the manifests say."""

from __future__ import annotations

import base64
import hashlib
import re
import shutil
import subprocess
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest

from corpus import facts
from corpus.manifest import Balance, Manifest
from corpus.plots.provenance import without_secrets
from corpus.report import SECTIONS, render_report, section_of
from tests.fakes.manifests import manifests
from tests.fakes.page import Page

BROWSERS = ("chromium", "chromium-browser", "google-chrome")


@pytest.fixture(scope="module")
def html() -> str:
    return render_report("demo@1", manifests())


def bare(stage: str = "made", **more: object) -> dict[str, Manifest]:
    return {stage: Manifest(name="n", version="1", stage=stage, fingerprint="f", **more)}


def test_the_page_is_balanced_and_asks_the_network_for_nothing(html: str) -> None:
    page = Page(html)
    assert page.faults == []
    assert {"link", "img", "iframe", "object", "form"}.isdisjoint(page.tags)


def test_its_policy_allows_its_own_script_alone(html: str) -> None:
    (script,) = Page(html).scripts
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert f"default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-{digest}'" in html


def test_every_section_that_has_something_to_say_is_there_and_reachable(html: str) -> None:
    page = Page(html)
    for part in SECTIONS:
        if part.id not in ("finding", "more"):  # of experiments, and of what nobody foresaw
            assert part.id in page.ids
            assert f'href="#{part.id}"' in html


def test_what_an_experiment_found_comes_first() -> None:
    said = {
        "loop.cells": facts.table("By cell", ["cell"], [["a"]]),
        "loop.verdict": facts.table("Said", ["verdict"], [["none"]]),
    }
    page = render_report("n@1", bare(facts=said))
    assert page.index("What was found") < page.index("Said") < page.index("By cell") < page.index("Where it comes from")


def test_the_same_manifests_give_the_same_page(html: str) -> None:
    assert render_report("demo@1", manifests()) == html


def test_rows_of_each_stage_stand_in_the_table_beside_the_flow(html: str) -> None:
    for manifest in manifests().values():
        row = [manifest.balance.taken, manifest.balance.made, manifest.balance.repeated, manifest.balance.kept]
        assert "".join(f'<td class="figure">{value:,}</td>' for value in row) in html
        for reason, count in manifest.reasons.items():
            assert reason in html
            assert f"{count:,}" in html


def test_caveats_stand_in_the_open_and_not_inside_a_fold(html: str) -> None:
    unfolded = re.sub(r"<details>.*?</details>", "", html, flags=re.S)
    assert "A demo, not a proof" in unfolded


def test_every_picture_has_a_name_and_a_sentence(html: str) -> None:
    pictures = re.findall(r"<svg xmlns.*?</svg>", html, re.S)
    assert len(pictures) > 12
    for picture in pictures:
        root = ElementTree.fromstring(picture)
        assert root.attrib["role"] == "img"
        assert len(root[0].text or "") > 3
        assert len(root[1].text or "") > 10


@pytest.mark.parametrize(("name", "section"), [
    ("scores.gopher.words", "texts"), ("samples.kept", "read"), ("samples.student", "student"), ("loss", "student"),
    ("duplicates.pairs", "repeats"), ("never.seen", "more"), ("lengths", "texts"),
])  # fmt: skip
def test_facts_find_their_section_by_the_longest_known_name(name: str, section: str) -> None:
    assert section_of(name) == section


def test_a_fact_that_nobody_foresaw_is_drawn_by_its_kind() -> None:
    page = render_report("n@1", bare(facts={"novel": facts.counts("Something new", {"apples": 3})}))
    assert "Further facts" in page
    assert "apples" in page
    assert "Something new" in page


def test_no_stage_and_empty_stages_still_give_a_page() -> None:
    assert "No stage has finished yet" in render_report("n@1", {})
    assert Page(render_report("n@1", bare())).faults == []


def test_a_stage_whose_inputs_are_elsewhere_is_drawn_as_a_beginning() -> None:
    page = render_report("n@1", bare(inputs={"gone": "f"}, balance=Balance(taken=5, kept=5)))
    assert "5 kept" in page
    assert Page(page).faults == []


def test_credentials_in_a_recipe_do_not_reach_the_page() -> None:
    config = {"teacher": {"endpoints": ["https://me:hunter2@host/v1"], "api_key": "planted", "api_key_env": "MY_KEY"}}
    page = render_report("n@1", bare(config=config))
    assert "hunter2" not in page
    assert "planted" not in page
    assert "MY_KEY" in page
    assert "https://host/v1" in page


def test_numbers_named_like_secrets_stay() -> None:
    assert without_secrets({"tokens": 5, "max_tokens": 7, "token": "abc"}) == {
        "tokens": 5, "max_tokens": 7, "token": "(not shown)"}  # fmt: skip


@pytest.mark.skipif(not any(map(shutil.which, BROWSERS)), reason="no Chromium on this machine")
def test_a_real_browser_draws_it_without_scrolling_sideways_or_complaining(html: str, tmp_path: Path) -> None:
    """The page runs one more script, allowed by name, that writes what the browser measured into the title."""
    probe = (
        "document.title=[document.documentElement.scrollWidth<=innerWidth,"
        "document.querySelectorAll('svg.plot').length,document.querySelector('.sieve').hidden].join(' ')"
    )
    digest = base64.b64encode(hashlib.sha256(probe.encode()).digest()).decode()
    page = html.replace("script-src '", f"script-src 'sha256-{digest}' '").replace(
        "</body>", f"<script>{probe}</script></body>")  # fmt: skip
    (tmp_path / "report.html").write_text(page, encoding="utf-8")
    browser = next(found for found in map(shutil.which, BROWSERS) if found)
    flags = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
             "--disable-background-networking", "--disable-component-update", "--window-size=500,900",
             f"--user-data-dir={tmp_path / 'profile'}", "--enable-logging=stderr", "--dump-dom"]  # fmt: skip
    run = subprocess.run(
        [browser, *flags, (tmp_path / "report.html").as_uri()], capture_output=True, text=True, timeout=120
    )
    title = re.search(r"<title>(.*?)</title>", run.stdout)
    assert title is not None, run.stderr[-2000:]
    fits, plots, hidden = title[1].split()
    assert (fits, hidden) == ("true", "false")
    assert int(plots) > 12
    assert "CONSOLE" not in run.stderr


def test_figures_stand_in_the_order_of_their_section_whatever_the_order_in_the_manifest(html: str) -> None:
    places = [html.index(f"<h3>{title}</h3>") for title in ("Held-out bits per byte, lower is better", "Training loss",
                                                            "What the student writes")]  # fmt: skip
    assert places == sorted(places)
    assert "<span>demo@1</span>" in html


def test_long_tables_and_tall_samples_are_folded_not_cut() -> None:
    tall = "\n".join(f"line {index}" for index in range(60))
    found = {"t": facts.table("T", ["row"], [[f"row {index}"] for index in range(40)]),
             "samples.kept": facts.samples("S", [{"id": "a", "text": tall}])}  # fmt: skip
    page = render_report("n@1", bare(facts=found))
    unfolded = re.sub(r"<details>.*?</details>", "", page, flags=re.S)
    assert "row 9<" in unfolded
    assert "row 10<" not in unfolded
    assert "row 39<" in page
    assert "line 17…" in unfolded
    assert "line 18\n" not in unfolded
    assert "line 59" in page
