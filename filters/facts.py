"""Facts against the seed: what a text that was written from a source says and the source does not.

A number is supported when the source has it, in figures or in words, or when two numbers of the source give it by one
step of arithmetic in a sentence that calculates, as worked examples do. A name is supported when the source has its words, or words whose initials it
is. A sentence is supported by the share of its content words that the source has. Nothing here knows the world: what is
true and not in the source counts as unsupported.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from functools import cached_property
from itertools import combinations

from filters.claims import FUNCTION, LONGEST, WORD, Claim, names_in, number_words_in, numbers_in, sentences_in
from generator.length import IDEOGRAPH

PAIRS = 40  # numbers that are combined with each other: the check stays quadratic in few
YEARS = (1000, 2100)  # a whole number in this range is a year, and no result of a sum
HAN_RUN = re.compile("[\u4e00-\u9fff]{2,}")
STEM = 5  # letters that forms of a word share: `measure`, `measured`, `measuring`
SUPPORT = 0.5  # of a sentence's content words
LEAST = 5  # content words of a sentence that is looked at
ADDRESS = frozenset(["i", "mr", "mrs", "ms", "dr", "prof", "st"])  # capitalised, and no names


@dataclass(frozen=True, slots=True)
class Unsupported:
    """What a text says and its source does not, in the order of the text."""

    numbers: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    claims: tuple[str, ...] = ()


@dataclass(frozen=True)
class Results:
    """What one step of arithmetic makes of pairs of numbers, the smaller one first; worked out once for a text."""

    pairs: tuple[tuple[Decimal, Decimal], ...]

    @cached_property
    def whole(self) -> frozenset[Decimal]:
        """Sums, differences and products."""
        return frozenset(value for low, high in self.pairs for value in (low + high, high - low, low * high))

    @cached_property
    def _quotients(self) -> dict[int, frozenset[Decimal | None]]:
        return {}

    def quotients(self, places: int) -> frozenset[Decimal | None]:
        """Quotients and percentages, with so many places behind the point."""
        if places not in self._quotients:
            both = [pair for low, high in self.pairs for pair in ((low, high), (high, low)) if pair[1]]
            self._quotients[places] = frozenset(
                _quotient(top, bottom, scale, places) for top, bottom in both for scale in (1, 100)
            )
        return self._quotients[places]

    def give(self, claim: Claim) -> bool:
        """Whether the number of a sentence that calculates is one of them; a year is none."""
        bare = claim.value.rstrip("%")
        if not claim.calculated or not self.pairs or len(bare) > LONGEST:
            return False
        value = abs(Decimal(bare))
        if YEARS[0] <= value <= YEARS[1] and value == int(value) and "," not in claim.said:
            return False
        return value in self.whole or value in self.quotients(max(0, -int(value.normalize().as_tuple().exponent)))


@dataclass(frozen=True)
class Source:
    """A source, read once for any number of texts."""

    text: str
    given: str = ""
    """What the prompt itself gave beside the source: topic, audience, forced words."""

    @cached_property
    def numbers(self) -> frozenset[str]:
        """Values in figures and in words."""
        whole = f"{self.text}\n{self.given}"
        return frozenset(claim.value for claim in numbers_in(whole, own=True)) | number_words_in(whole)

    @cached_property
    def words(self) -> frozenset[str]:
        """Words, casefolded, and the initials of every run of capitalised ones."""
        whole = f"{self.text}\n{self.given}"
        found = {word.casefold() for word in _matches(WORD, whole)}
        found |= {part for word in found for part in re.split("['’]", word)}
        initials = {
            "".join(part[0] for part in claim.said.split() if part[0].isupper()).casefold() for claim in names_in(whole)
        }
        return frozenset(found | initials)

    @cached_property
    def stems(self) -> frozenset[str]:
        """What content words are compared by: first letters, and pairs of Chinese characters."""
        return frozenset(_stems(f"{self.text}\n{self.given}"))

    def has_number(self, claim: Claim) -> bool:
        """Whether the source has it, with or without the percent sign."""
        bare = claim.value.rstrip("%")
        return not self.numbers.isdisjoint((claim.value, bare, f"{bare}%"))

    def results(self, told: Collection[str]) -> Results:
        """What follows from two numbers of the source that a text tells (`told`) too, as a worked example does."""
        has = {known.rstrip("%") for known in self.numbers}
        numbers = {Decimal(bare) for said in told if (bare := said.rstrip("%")) in has and len(bare) <= LONGEST}
        return Results(tuple(combinations(sorted(numbers)[:PAIRS], 2)))

    def has_name(self, claim: Claim) -> bool:
        """Whether the source has every word of it, or words that it abbreviates."""
        if IDEOGRAPH.search(claim.said):
            return claim.said in self.text or claim.said in self.given
        words = [word.casefold().removesuffix("'s").removesuffix("’s") for word in WORD.findall(claim.said)]
        return all(self._knows(word) for word in words)

    def _knows(self, word: str) -> bool:
        if word in self.words or word in FUNCTION or word in ADDRESS or len(word) == 1:
            return True
        forms = (
            word.removesuffix("s"),
            word.removesuffix("es"),
            f"{word}s",
            word.removesuffix("an"),
            word.removesuffix("ian"),
        )
        return any(form in self.words for form in forms)

    def support(self, sentence: str) -> float:
        """Share of the content words of a sentence that the source has; 1 for one of too few words to say."""
        stems = _stems(sentence)
        return sum(stem in self.stems for stem in stems) / len(stems) if len(stems) >= LEAST else 1.0


def unsupported(text: str, source: Source) -> Unsupported:
    """Numbers, names and sentences of `text` that `source` does not support."""
    numbers = dict.fromkeys(numbers_in(text))
    results = source.results({claim.value for claim in numbers})
    return Unsupported(
        _missing(numbers, lambda claim: source.has_number(claim) or results.give(claim)),
        _missing(names_in(text), source.has_name),
        tuple(one for one in sentences_in(text) if source.support(one) < SUPPORT),
    )


def _missing(claims: Iterable[Claim], has: Callable[[Claim], bool]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(claim.said for claim in claims if not has(claim)))


def _quotient(top: Decimal, bottom: Decimal, scale: int, places: int) -> Decimal | None:
    """As exact as its places behind the point; None where that is more than `Decimal` calculates with."""
    try:
        return (top / bottom * scale).quantize(Decimal(1).scaleb(-places))
    except InvalidOperation:
        return None


def _stems(text: str) -> list[str]:
    words = (word.casefold() for word in _matches(WORD, text) if not IDEOGRAPH.search(word))
    pairs = (run[at : at + 2] for run in _matches(HAN_RUN, text) for at in range(len(run) - 1))
    return [word[:STEM] for word in words if word not in FUNCTION and len(word[:STEM]) > 2] + list(pairs)


def _matches(pattern: re.Pattern[str], text: str) -> Iterator[str]:
    """One after the other: a long text has more words than should be held at once."""
    return (found.group() for found in pattern.finditer(text))
