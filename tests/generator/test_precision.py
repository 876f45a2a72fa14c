"""A CPU that would emulate bfloat16 is served in float32; nobody else's choice is touched."""

from __future__ import annotations

from pathlib import Path

import pytest

from generator import precision
from generator.precision import lacks_avx512, served_precision

OLD = "processor\t: 0\nmodel name\t: AMD EPYC\nflags\t\t: fpu sse2 avx avx2 fma\n"


@pytest.mark.parametrize(
    ("text", "lacking"), [(OLD, True), (OLD.replace("avx2", "avx2 avx512f avx512_bf16"), False), ("processor\t: 0\n", False)]
)  # fmt: skip
def test_flags_of_the_processor_decide(
    text: str, lacking: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(precision.platform, "machine", lambda: "x86_64")
    (tmp_path / "cpuinfo").write_text(text, "utf-8")
    assert lacks_avx512(tmp_path / "cpuinfo") is lacking


def test_another_kind_of_machine_or_none_that_tells_is_left_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "cpuinfo").write_text(OLD, "utf-8")
    monkeypatch.setattr(precision.platform, "machine", lambda: "aarch64")
    assert not lacks_avx512(tmp_path / "cpuinfo")
    monkeypatch.setattr(precision.platform, "machine", lambda: "x86_64")
    assert not lacks_avx512(tmp_path / "missing")


@pytest.mark.parametrize(
    ("wanted", "lacking", "served"),
    [("auto", True, "float32"), ("auto", False, "auto"), ("bfloat16", True, "bfloat16")],
)
def test_only_auto_is_decided(wanted: str, lacking: bool, served: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(precision, "lacks_avx512", lambda: lacking)
    assert served_precision(wanted) == served
