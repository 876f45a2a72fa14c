"""Paraphrases as a person makes them, without a model: other words, other names, numbers spelled out, clauses turned round.

Rules over a small table of synonyms, so the texts are a little stiff, and all in English. They share hardly a run of five
words with the original, which is what makes a paraphrase hard for n-grams.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from corpus.ids import digest
from filters.benchmarks import Item
from filters.config import DecontaminateConfig
from filters.decontaminate import Decontaminator
from filters.paraphrases import ParaphraseIndex, question_of
from filters.planted_leaks import flags, planted
from filters.vectors import Embed

HOST = 1500  # characters of a text that a paraphrase is planted in: an encoder is slow

SYNONYMS = {
    line.split(":")[0]: line.split(":")[1]
    for line in """
buy:purchase|buys:purchases|bought:purchased|sell:trade away|sells:trades away|sold:traded away|each:apiece every|every:each
many:large a number of|much:great an amount|total:altogether sum|find:determine|write:create|function:routine|given:supplied|list:sequence
string:piece of text|number:figure|numbers:figures|return:give back|returns:gives back|check:verify|whether:if|largest:biggest|smallest:least
day:single day|days:full days|week:seven days|weeks:weeks' time|hour:sixty minutes|hours:hours' time|costs:is priced at|cost:be priced at|price:asking price
money:cash|makes:produces|make:produce|has:owns|have:own|had:owned|needs:requires|need:require|uses:employs|use:employ|gets:receives|get:receive
gives:hands over|give:hand over|takes:requires|take:require|eats:consumes|eat:consume|works:is employed|work:labour|lives:resides|live:reside
more:additional|less:fewer|than:compared with|half:fifty percent of|twice:two times|times:fold|if:supposing|then:after that|because:since|after:following
before:prior to|left:remaining|remain:are still there|students:pupils|student:pupil|children:kids|child:kid|friend:companion|friends:companions
brother:male sibling|sister:female sibling|house:home|car:automobile|school:classroom|book:volume|books:volumes|people:persons|big:large|small:little
best:most suitable|most likely:in all probability|which:what|following:listed|describes:characterises|explains:accounts for|causes:brings about
cause:bring about|called:named|occurs:takes place|occur:take place|used:employed|example:instance|object:thing|process:course of events
animals:creatures|animal:creature|plants:vegetation|plant:green organism|energy:power|water:H2O|earth:our planet|sun:our star|moon:satellite of our planet
element:member|elements:members|array:row|integer:whole number|integers:whole numbers|sum:total|sort:order|remove:delete|first:initial|last:final
second:next|pair:couple|common:shared|different:distinct|same:identical|contains:holds|contain:hold|using:by means of|it:this thing|they:these
would:is going to|should:ought to|can:is able to|will:is going to|does:happens to|do:happen to|how:in what way|why:for what reason|where:at what place
""".strip()
    .replace("\n", "|")
    .split("|")
}
ONES = "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen".split()  # noqa: SIM905
TENS = "twenty thirty forty fifty sixty seventy eighty ninety".split()  # noqa: SIM905
NAMES = ("Amara", "Boris", "Chen", "Dalia", "Emre", "Fatou", "Goran", "Hana")
WORD = re.compile(r"[A-Za-z]+(?:'[a-z]+)?|\d+|\s+|.")
SENTENCE = re.compile(r"(?<=[.!?])\s+|\n+")


def paraphrase(text: str) -> str:
    """The text in other words; "" where it is not English enough for the rules."""
    words = re.findall(r"[A-Za-z]+", text)
    if len(words) < 6 or len("".join(words)) < 0.6 * len("".join(text.split())):
        return ""
    names = {name: NAMES[place % len(NAMES)] for place, name in enumerate(dict.fromkeys(_names(text)))}
    said = [_turned(_reworded(sentence, names)) for sentence in SENTENCE.split(text) if sentence.strip()]
    return " ".join(said)


def _names(text: str) -> list[str]:
    """Capitalised words that do not begin a sentence, or that come with an 's or twice."""
    inside = re.findall(r"(?<=[a-z,] )[A-Z][a-z]{2,}", text)
    return inside + [name for name in re.findall(r"\b[A-Z][a-z]{2,}(?='s\b)", text)]


def _reworded(sentence: str, names: dict[str, str]) -> str:
    replace: Callable[[str], str] = lambda piece: names.get(piece) or _other(piece)  # noqa: E731
    return "".join(replace(piece) for piece in WORD.findall(sentence))


def _other(piece: str) -> str:
    if piece.isascii() and piece.isdigit() and len(piece) <= 2:
        return _spelled(int(piece))
    other = SYNONYMS.get(piece.lower(), piece)
    return other.capitalize() if piece[:1].isupper() and other != piece else other


def _spelled(number: int) -> str:
    if number < 20:
        return ONES[number]
    return TENS[number // 10 - 2] + (f"-{ONES[number % 10]}" if number % 10 else "")


def _turned(sentence: str) -> str:
    """The clauses round the first comma the other way, else an opening before it."""
    end = sentence[-1] if sentence[-1:] in ".!?" else ""
    head, comma, tail = sentence.rstrip(".!?").partition(", ")
    if comma and len(head.split()) > 2 and len(tail.split()) > 2:
        return f"{tail[:1].upper()}{tail[1:]}, {head[:1].lower()}{head[1:]}{end}"
    return f"Note that {sentence[:1].lower()}{sentence[1:]}" if end == "." else sentence


@dataclass(frozen=True, slots=True)
class ParaphraseTest:
    """Of one benchmark: paraphrases planted and found, by meaning and by words; and what was flagged without being one."""

    benchmark: str
    planted: int
    found: int
    by_words: int
    neighbours: int
    neighbour_alarms: int
    hosts: int
    host_alarms: int


def paraphrase_test(
    items: Sequence[Item], hosts: Sequence[str], config: DecontaminateConfig, embed: Embed, sample: int
) -> list[ParaphraseTest]:
    """Plant paraphrases of half of the items, at most `sample` of a benchmark, and look for them among all of that half."""
    rows = []
    for name in dict.fromkeys(item.benchmark for item in items):
        own = sorted((item for item in items if item.benchmark == name), key=lambda item: digest("leak", item.name))
        half, rest = own[: len(own) // 2], own[len(own) // 2 :][:sample]
        index = ParaphraseIndex(half, embed)
        said = [(item, text) for item in index.items[:sample] if (text := paraphrase(question_of(item)))]
        if not said:
            continue
        texts = [planted(hosts[place % len(hosts)][:HOST], text) for place, (_, text) in enumerate(said)]
        near = [row for row in index.nearest(texts) if row.similarity >= config.paraphrase]
        alarms = [sum(row.similarity >= config.paraphrase for row in index.nearest(part)) for part in
                  ([question_of(item) for item in rest], [host[:HOST] for host in hosts])]  # fmt: skip
        right = sum(row.item == said[row.text][0].name for row in near)
        words = int(flags(Decontaminator(half, config), texts, config).sum())
        rows.append(ParaphraseTest(name, len(said), right, words, len(rest), alarms[0], len(hosts), alarms[1]))
    return rows
