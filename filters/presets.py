"""Mixes of published models, by role: how much was synthetic, rewritten, web, code; with where the figure stands.

A preset knows roles, a blend knows parts. `roles` says which part plays which; a part that bears the name of a role plays
it. A role that several parts play is shared among them by their tokens; roles that nobody plays are left out, and the
others keep their proportions.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from corpus.errors import RecipeError


@dataclass(frozen=True, slots=True)
class Preset:
    """Shares by role, and the paper with the place in it."""

    shares: Mapping[str, float]
    source: str


PRESETS: dict[str, Preset] = {
    "phi-1.5": Preset({"synthetic": 80, "code": 20}, "Li et al. 2023, arXiv 2309.05463, section 2: 20 B synthetic beside phi-1's 7 B, read 80 to 20"),
    "phi-1.5-web": Preset({"web": 40, "code": 20, "synthetic": 40}, "Li et al. 2023, arXiv 2309.05463, section 2, filtered web data"),
    "phi-4": Preset({"synthetic": 40, "rewrites": 15, "web": 15, "code": 20, "acquired": 10},
                    "Abdin et al. 2024, arXiv 2412.08905, the table of the pretraining mixture"),
    "wrap": Preset({"rewrites": 50, "web": 50}, "Maini et al. 2024, arXiv 2401.16380: real to rephrased 1 to 1"),
    "third-rewritten": Preset({"rewrites": 1, "web": 2}, "Kang et al. 2025, arXiv 2510.01631: a third rephrased, two thirds web"),
    "mindllm": Preset({"en": 241, "zh": 82}, "Yang et al. 2023, arXiv 2310.15777: MindLLM-1.3B, by language"),
}  # fmt: skip


def preset_weights(name: str, roles: Mapping[str, str], tokens: Mapping[str, int]) -> dict[str, float]:
    """A weight for each part of `tokens` (tokens there) that plays a role of the preset; the others have none.

    Raises `RecipeError` for a preset that is not known, a role that it has not, and where no part plays any.
    """
    if name not in PRESETS:
        raise RecipeError(f"blend.preset: there is no `{name}`", hint=f"known: {', '.join(PRESETS)}")
    shares = PRESETS[name].shares
    if strange := sorted(set(roles.values()) - set(shares)):
        raise RecipeError(f"blend.roles: `{name}` has no role `{strange[0]}`", hint=f"its roles: {', '.join(shares)}")
    played = {part: roles.get(part, part) for part in tokens if roles.get(part, part) in shares and tokens[part] > 0}
    if tokens and not played:
        raise RecipeError(
            f"blend.preset: no part plays a role of `{name}`",
            hint=f"say in blend.roles which of {', '.join(sorted(tokens))} is {', '.join(shares)}",
        )
    total = {role: sum(tokens[part] for part in played if played[part] == role) for role in set(played.values())}
    return {part: shares[role] * tokens[part] / total[role] for part, role in played.items()}
