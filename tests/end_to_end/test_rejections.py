"""Every row that was not kept can be read with its reason, and the numbers say which filter did it."""

from __future__ import annotations

from pathlib import Path

import pytest

from corpus.errors import RecipeError
from corpus.manifest import load_manifest
from ray_jobs.cli.overview import print_status, status_of
from ray_jobs.cli.rejections import print_rejected
from ray_jobs.drive import run
from ray_jobs.line import run_folder
from ray_jobs.resolve import resolve
from ray_jobs.talk import Talk
from tests.end_to_end.conftest import page, secret

NO_TEACHER = ["generate=null"]


def shown(recipe: Path, capsys: pytest.CaptureFixture[str], **asked: object) -> str:
    options = {"as_json": False, "source": None, "reason": None, "text": False, **asked}
    print_rejected(str(recipe), NO_TEACHER, 10_000, **options)  # type: ignore[arg-type]
    return capsys.readouterr().out


def test_rejected_rows_of_all_stages_are_shown_by_reason_and_with_their_text(
    recipe: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = resolve(str(recipe), NO_TEACHER, {}).recipe
    run(found, talk=Talk(quiet=True), until="filter")
    capsys.readouterr()
    folder = run_folder(found)
    manifests = [load_manifest(folder.child(name)) for name in ("read", "filter")]
    rejected = sum(manifest.balance.rejected for manifest in manifests if manifest)
    reasons = {reason for manifest in manifests if manifest for reason in manifest.reasons}
    lines = shown(recipe, capsys).splitlines()
    assert len(lines) == rejected
    assert {line.split("  ")[2] for line in lines} == reasons
    assert {"sensitive", "duplicate.exact"} <= reasons
    copies = shown(recipe, capsys, reason="duplicate", text=True)
    assert page(0) in copies
    assert page(1) in copies
    hidden = shown(recipe, capsys, reason="sensitive", text=True)
    assert "(withheld)" in hidden
    assert secret() not in hidden
    with pytest.raises(RecipeError, match="nothing was rejected as 'boring'") as caught:
        shown(recipe, capsys, reason="boring")
    assert "duplicate.exact" in caught.value.hint


def test_the_status_says_what_each_filter_alone_would_remove(recipe: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run(resolve(str(recipe), NO_TEACHER, {}).recipe, talk=Talk(quiet=True), until="filter")
    capsys.readouterr()
    print_status(status_of(str(recipe), NO_TEACHER), as_json=False)
    out = capsys.readouterr().out
    assert "sensitive                  reason of 1; alone 1, of which nothing else removes 1" in out
    assert "duplicate (of the rest)    reason of 2; alone 2, of which nothing else removes 2" in out
