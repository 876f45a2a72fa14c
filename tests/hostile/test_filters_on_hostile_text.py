"""F11: whatever a text is made of, every filter ends in linear time, without a crash, and with bounded memory."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from bench.hostile import NAME, faults, files, runs
from bench.hostile_baits import BAITS
from bench.hostile_verbs import AROUND, VERBS, setting, train
from corpus.document import Document, documents_table
from filters.benchmarks import Item
from filters.boilerplate import boilerplate_lines
from filters.chain import ALL, decide, score_table
from filters.clean import clean_table, clean_text
from filters.config import CleanConfig, DecontaminateConfig, DuplicatesConfig, FilterConfig
from filters.decontaminate import Decontaminator
from filters.dedup import find_duplicates
from filters.facts import Source, unsupported
from filters.repeated_parts import find_shared, without_shared
from filters.sensitive import find, redact
from filters.sensitive_kinds import KINDS
from ray_jobs.cli.main import app

ITEM = Item("exam#1", "exam", "How far does the river fall before it meets the sea, if it rises in hills of two hundred metres?",
            code="def fall(hills, sea):\n    return sorted(hills)[-sea:]\n")  # fmt: skip
AGAINST = Decontaminator([ITEM], DecontaminateConfig())
KINDS_BY_NAME = {kind.name: kind for kind in KINDS}
SMALL, FACTOR = 20_000, 4
GOOD = "The river rises in the hills. Its water is clear in summer, when the ground holds little mud."


def table(text: str) -> pa.Table:
    return documents_table([Document("bait", text, "web", "MIT", "here", domain="web")])


def everything(text: str) -> None:
    document = table(text)
    decide(document, score_table(document, scorers=ALL, against=AGAINST), FilterConfig())
    clean_table(document, CleanConfig(), KINDS_BY_NAME)
    unsupported(text, Source(text))
    for unit in ("line", "paragraph"):
        without_shared(document, find_shared([document] * 3, unit))
    find_duplicates([document], DuplicatesConfig())


def seconds(work: Callable[[str], None], text: str) -> float:
    begun = time.process_time()
    work(text)
    return time.process_time() - begun


@pytest.mark.parametrize("name", BAITS)
def test_four_times_the_text_takes_no_more_than_four_times_as_long(name: str) -> None:
    bait = BAITS[name]
    everything(GOOD)  # models and packages are loaded
    whole = seconds(everything, bait.text(SMALL * FACTOR))
    assert whole < 4
    assert whole < 0.4 or whole < 3 * FACTOR * seconds(
        everything, bait.text(SMALL)
    )  # the square would be sixteen times


LONE = "before \ud800 mary@shelley.net \udfff after 见\udc00 13812345678"


def test_lone_surrogates_end_no_search() -> None:
    assert [(item.kind, LONE[item.start : item.end]) for item in find(LONE)] == [
        ("email", "mary@shelley.net"),
        ("phone", "13812345678"),
    ]
    assert redact(LONE)[0] == "before \ud800 <email> \udfff after 见\udc00 <phone>"
    assert boilerplate_lines([LONE, "\ud800"]) == ["", ""]
    assert clean_text(LONE, CleanConfig(characters=False)).text == LONE


@pytest.mark.parametrize(
    "text",
    ["", "\0", "\n", " ", "\u200b", "\ufeff", "a", "。", "[" * 100_000, "{" * 100_000, "\0" * 1000, "\U0010ffff"],
)
def test_texts_of_almost_nothing_and_of_one_thing_get_a_verdict(text: str) -> None:
    document = table(text)
    scores = score_table(document, scorers=ALL, against=AGAINST)
    assert scores.num_rows == 1
    assert decide(document, scores, FilterConfig()).num_rows == 1
    cleaned, _ = clean_table(document, CleanConfig(), KINDS_BY_NAME)
    again, changes = clean_table(cleaned, CleanConfig(), KINDS_BY_NAME)
    assert again.equals(cleaned)
    assert changes.num_rows == 0


CHEAP = ("score", "score, fastText", "score, classifier of words", "clean", "redact", "decontaminate", "facts, of the text",
         "dedup", "dedup, lines", "dedup, passages", "judge", "blend", "classifier check", "redundancy score, copies")  # fmt: skip
WHOLE = ("score", "clean", "redact", "decontaminate", "facts, of the text", "judge")  # a row each, whatever it says


@pytest.fixture(scope="module")
def words(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    folder = tmp_path_factory.mktemp("hostile")
    with setting(folder) as words:
        train(words)
        write = next(write for name, size, write in files(17) if name == "words" and size == 17)
        write(folder / NAME)
        yield words | {"file": str(folder / NAME)}


@pytest.mark.parametrize("verb", CHEAP)
def test_a_line_above_the_limit_is_named_and_the_good_rows_around_it_are_worked_on(
    verb: str, words: dict[str, str]
) -> None:
    told = CliRunner().invoke(app, ["filter", *VERBS[verb].format(**words).split()])
    assert told.exit_code == 0, told.output
    assert f"1 rows not readable: line_too_long (first: {NAME}:{AROUND + 1}: more than 16,777,216 bytes)" in told.output
    if verb in WHOLE:
        assert pq.read_metadata(words["out"]).num_rows == 2 * AROUND


@pytest.mark.soak
@pytest.mark.timeout(6 * 3600)
def test_no_verb_falls_over_a_line_of_a_gigabyte_or_a_text_of_bait() -> None:
    assert faults(list(runs([], 15))) == []
