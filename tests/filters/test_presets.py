"""Mixes of papers by role: proportions stay, roles are shared, what does not fit is named."""

from __future__ import annotations

import pytest

from corpus.errors import RecipeError
from filters.presets import PRESETS, preset_weights


@pytest.mark.parametrize("name", PRESETS)
def test_parts_with_the_names_of_roles_get_the_papers_shares(name: str) -> None:
    shares = PRESETS[name].shares
    assert preset_weights(name, {}, dict.fromkeys(shares, 1000)) == pytest.approx(dict(shares))
    assert "arXiv" in PRESETS[name].source


def test_parts_of_one_role_share_it_by_their_tokens_and_roles_without_parts_leave_the_others_alone() -> None:
    found = preset_weights(
        "phi-4", {"crawl": "web", "forum": "web"}, {"crawl": 300, "forum": 100, "synthetic": 50, "x": 9}
    )
    assert found == pytest.approx({"crawl": 11.25, "forum": 3.75, "synthetic": 40})


@pytest.mark.parametrize(("name", "roles", "said"), [
    ("phi-9", {}, "no `phi-9`"), ("wrap", {"crawl": "code"}, "no role `code`"), ("wrap", {}, "no part plays"),
])  # fmt: skip
def test_what_does_not_fit_is_named(name: str, roles: dict[str, str], said: str) -> None:
    with pytest.raises(RecipeError, match=said):
        preset_weights(name, roles, {"crawl": 10})
