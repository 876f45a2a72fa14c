"""The end of a run: the report and the card on disk, and what a person wants to know next on the terminal."""

from __future__ import annotations

import shutil
import sys
import textwrap
from pathlib import Path

from corpus.manifest import Manifest, load_manifest
from corpus.report import render_report
from corpus.store import Store
from ray_jobs.drive import STAGES, Drive
from ray_jobs.line import run_folder
from ray_jobs.recipe import Recipe
from ray_jobs.talk import Talk

REPORT = "report.html"
SAMPLE, WIDTH = 400, 110  # characters of the sample, and of a line


def write_report(recipe: Recipe, out: Path | None = None) -> str:
    """Render the report from the manifests on disk; its path or URL."""
    folder = run_folder(recipe)
    found = ((name, load_manifest(folder.child(name))) for name in STAGES)
    manifests = {name: manifest for name, manifest in found if manifest}
    page = render_report(recipe.title or recipe.label, manifests).encode()
    if out:
        out.write_bytes(page)
        return str(out)
    folder.replace(REPORT, page)
    return f"{folder.url}/{REPORT}"


def finish(drive: Drive, talk: Talk) -> None:
    """Write what is missing and print the summary; data goes to stdout."""
    if not talk.split and drive.folder.exists(REPORT):
        print(f"{drive.recipe.label} is complete: nothing to do, no request sent ({talk.seconds:.1f} s)")
        print(f"report  {drive.folder.url}/{REPORT}")
        return
    page = write_report(drive.recipe)
    manifests = drive.manifests
    print(f"\n{drive.recipe.label}\n")
    if "filter" in manifests:
        _print_kept(manifests["filter"])
    if "generate" in manifests:
        _print_slots(manifests["generate"])
    if "evaluate" in manifests:
        _print_arms(manifests["evaluate"])
    _print_time(talk)
    _print_places(drive.folder, page, drive.recipe, manifests)


def _print_kept(manifest: Manifest) -> None:
    balance, totals = manifest.balance, manifest.totals
    print(
        f"kept    {balance.kept:,} of {balance.taken:,} documents, {totals['tokens']:,} tokens; {totals['synthetic']:,} of them written by the teacher"
    )
    for name, count in sorted(manifest.reasons.items(), key=lambda item: -item[1])[:8]:
        print(f"        − {count:>6,}  {name}")


def _print_slots(manifest: Manifest) -> None:
    totals = manifest.totals
    share = totals["documents"] / max(1, totals["attempts"])
    print(
        f"slots   {totals['documents']:,} of {totals['slots']:,} filled in {totals['attempts']:,} attempts ({share:.0%})"
    )
    for name, count in sorted(manifest.reasons.items(), key=lambda item: -item[1])[:6]:
        print(f"        − {count:>6,}  {name}")


def _print_arms(manifest: Manifest) -> None:
    fact = manifest.facts["arms"]
    header: list[object] = [str(name).replace(": difference from raw", " vs raw") for name in fact["columns"]]
    print("\n" + "\n".join(_aligned([header, *fact["rows"]])) + f"\n\n{_wrapped(fact['caption'])}\n")
    rows = manifest.facts["samples.student"]["rows"]
    if rows:
        words = " ".join(rows[-1]["text"].split())[:SAMPLE]
        print(_wrapped(f"a sample of the student ({rows[-1]['domain']}): “{words}”") + "\n")


def _wrapped(text: str) -> str:
    return textwrap.fill(text, min(WIDTH, shutil.get_terminal_size().columns))


def _aligned(rows: list[list[object]]) -> list[str]:
    text = [[str(value) for value in row] for row in rows]
    widths = [max(len(row[index]) for row in text) for index in range(len(text[0]))]
    return ["  ".join(value.ljust(width) for value, width in zip(row, widths, strict=True)).rstrip() for row in text]


def _print_time(talk: Talk) -> None:
    split = ", ".join(f"{name} {seconds:.0f} s" for name, seconds in talk.split)
    print(f"time    {talk.seconds:.0f} s: {split}")


def _print_places(folder: Store, page: str, recipe: Recipe, manifests: dict[str, Manifest]) -> None:
    print(f"data    {folder.url}/filter/documents\nreport  {page}")
    if "train" in manifests:
        print(f"student {folder.url}/train/students")
    only = " --source synthetic" if "generate" in manifests else ""
    print(f"next    hornbook show {recipe.name} -n 3{only}", file=sys.stdout)
