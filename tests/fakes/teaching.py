"""Phrases of texts that teach and of others, and things that they are about."""

from __future__ import annotations

THINGS = (
    "river",
    "engine",
    "letter",
    "planet",
    "market",
    "seed",
    "bridge",
    "clock",
    "water",
    "paper",
    "garden",
    "stone",
    "winter",
    "city",
    "road",
)
TEACHING = (
    "therefore the {} is",
    "this means that the {}",
    "for example a {}",
    "it follows that each {}",
    "we define the {} as",
)
OTHER = (
    "click here for {}",
    "posted by admin about {}",
    "best deal on {} today",
    "sign up for {} news",
    "i loved the {} so much",
)
