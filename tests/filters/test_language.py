from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from corpus.errors import SetupError
from filters import language
from filters.language import identify, language_model

ENGLISH = "The water in the kettle boils because the stove gives it energy."


@pytest.mark.parametrize(
    "text, label",
    [
        (ENGLISH, "en"),
        ("Das Wasser im Kessel kocht, weil der Herd ihm Energie gibt.", "de"),
        ("水壶里的水沸腾了,因为炉子给了它能量。", "zh"),
        ("L'eau dans la bouilloire bout parce que le feu lui donne de l'énergie.", "fr"),
        ("水开了", "zh"),
        ("静夜思", "zh"),
        ("昨夜小楼又东风", "zh"),
        ("「お湯が沸いた。」と母は言った。", "ja"),
        ("물이 끓는다. 불이 에너지를 주기 때문이다.", "ko"),
        ("The Chinese word for water, 水, has four strokes, and that for fire, 火, has four too.", "en"),
        ("我们用 PyTorch 的 DataLoader 读取 mini-batch,再用 Adam optimizer 更新模型的参数。", "zh"),
        ("先把数组排序,再用二分查找:\nint l = 0, r = n - 1, mid; vis[l] = dfs(l, r, mid);\n复杂度是对数级的。", "zh"),
        ("def f(x): return x  # 返回\n" * 3 + ENGLISH, "en"),
        ("1234 + 5678 = ???", "und"),
        ("", "und"),
        ("```python\nfor item in rows: yield item\n```", ""),
        (f"```\nwert = zeile.zerlegen(trennzeichen)\n```\n{ENGLISH}", "en"),
    ],
)
def test_languages_are_told_apart_outside_of_code(text: str, label: str) -> None:
    assert identify(pl.Series([text]))["language.label"].tolist() == [label]


def test_line_feeds_and_zero_bytes_do_not_reach_the_model() -> None:
    found = identify(pl.Series([f"\n{ENGLISH}\r\n\x00{ENGLISH}\n"]))
    assert found["language.label"].tolist() == ["en"]
    assert 0 < found["language.confidence"][0] <= 1


def test_an_unsure_beginning_is_followed_by_a_look_at_the_whole() -> None:
    beginning = "xq 7 zz 81 kk; " * 40  # 600 characters that are no language
    alone = identify(pl.Series([beginning]))
    whole = identify(pl.Series([beginning + ENGLISH * 40]))
    assert alone["language.confidence"][0] < language.SURE
    assert whole["language.label"][0] == "en"
    assert whole["language.confidence"][0] > alone["language.confidence"][0]


def test_a_model_that_is_not_the_published_one_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(language, "SHA256", "0" * 64)
    with pytest.raises(SetupError, match=r"lid\.176\.ftz"):
        language_model()


def test_a_missing_model_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(language, "MODEL", tmp_path / "lid.176.ftz")
    with pytest.raises(SetupError, match="is missing"):
        language_model()
