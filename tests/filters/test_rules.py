"""Each statistic against a plain reading of its definition, and each profile against text on both sides."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable

import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corpus.errors import RecipeError
from filters.batch import make_batch
from filters.chain import decide, score_table
from filters.config import FilterConfig, Limit
from filters.rules import PROFILES, SCORERS, STATISTICS, limits_of

PROSE = "The cat and the dog sat with that man. He had to be of good cheer!\n"


def statistic(name: str, text: str) -> float:
    return float(SCORERS[name.split(".")[0]](make_batch(pl.Series(["", text, "zz"])))[name][1])


@pytest.mark.parametrize(
    "name, text, expected",
    [
        ("gopher.words", "one two, three", 3),
        ("gopher.words", "", 0),
        ("gopher.mean_word_length", "a bbb", 2),
        ("gopher.hashes", "# one two # three four", 0.5),
        ("gopher.ellipses", "well... so… no", 2 / 3),
        ("gopher.bullet_lines", "- a\n• b\nc\n\n* d\n", 0.4),
        ("gopher.bullet_lines", "- a\r\nb\u2028 - c\x0bd", 0.5),
        ("gopher.ellipsis_lines", "read more...\nmore…\nend.\nend", 0.5),
        ("gopher.alphabetic_words", "one 2 3 four", 0.5),
        ("gopher.stop_words", "the The of cat with", 3),
        ("gopher.ideographs", "机器 learning now", 0.5),
        ("repetition.lines", "a\nb\n\na\n a", 0.25),
        ("repetition.lines", "\na\nb\n", 0.25),
        ("repetition.line_characters", "abcd\nabcd", 4 / 9),
        ("repetition.paragraphs", "a\nb\n\na\nb\n\nb\na", 1 / 3),
        ("repetition.paragraphs", "a\n\n\n \na", 0),
        ("repetition.paragraphs", " a\n\nb\n\na \n", 1 / 3),
        ("repetition.paragraph_characters", "ab\ncd\n\nab\ncd", 5 / 12),
        ("repetition.top_2gram", "a b a b c", 6 / 9),
        ("repetition.top_2gram", "one", 0),
        ("repetition.repeated_5gram", "a b c d e a b c d e", 5 / 19),
        ("c4.sentences", "One two three. Four five six!\nToo short.\nThis one has no end", 3),
        ("c4.sentences", "今天天气很好。我们去公园。", 2),
        ("c4.sentences", "Please enable JavaScript to view this page.\nWe use cookies on this site.", 0),
        ("c4.sentences", f"three words with {'x' * 1001}.", 0),
        ("c4.terminal_lines", "Ends.\nends\nends...\n“Ends!”", 0.5),
        ("c4.lorem_ipsum", "Lorem Ipsum dolor", 1),
        ("c4.curly_brackets", "one f(x) { return {}; }\nwhile two { three }\n{\nfor javascript {", 2),
        ("c4.curly_brackets", "while one { two\nlorem ipsum dolor\nwhile two { three", 1),
        ("c4.lorem_ipsum", "Lorem ipsum\nThe lorem ipsum text", 1),
        ("c4.sentences", "It is so.[4] It was so. [12]\nAnd [edit] this", 3),
        ("c4.usable_lines", "one two three\none two\n一二三\n一二\n一 two三", 0.6),
        ("c4.policy_lines", "Read our Privacy Policy\nA line", 0.5),
        ("fineweb.punctuated_lines", "One.\n\nTwo\nThree?\nFour. ", 0.5),
        ("fineweb.short_lines", "short\n" + "long " * 10, 0.5),
        ("fineweb.repeated_line_characters", "abcd\nabcd\nef", 0.4),
        ("fineweb.breaks_per_word", "a\nb\nc d", 0.5),
        ("chinese.characters", "机器学习 and 数据", 6),
        ("chinese.function_characters", "这是在机器的的", 4),
        ("chinese.top_bigram", "机器机器学习", 0.4),
        ("chinese.top_bigram", "机器 a 机 b 器", 1),
        ("chinese.marks", "机器，学习。", 0.5),
        ("code.mean_line", "ab\n\n    abcd", 3),
        ("code.longest_line", "ab\nabcd", 4),
        ("code.alphanumeric", "ab++", 0.5),
        ("code.generated", "# This file is Auto-Generated. Do not edit.\nx = 1", 1),
        ("code.generated", "x = 1\n" * 5 + "# automatically generated", 0),
    ],
)
def test_statistics_are_what_their_definition_says(name: str, text: str, expected: float) -> None:
    assert statistic(name, text) == pytest.approx(expected, abs=1e-6)


def top_gram(words: list[str], n: int) -> int:
    grams = [" ".join(words[start : start + n]) for start in range(len(words) - n + 1)]
    if not grams:
        return 0
    gram, count = Counter(grams).most_common(1)[0]
    return len(gram) * count


def repeated_grams(words: list[str], n: int) -> int:
    """Gopher's count, one word after the other: the oracle."""
    seen: set[tuple[str, ...]] = set()
    total, place = 0, 0
    while place < len(words) - n + 1:
        gram = tuple(words[place : place + n])
        if gram in seen:
            total += sum(map(len, gram))
            place += n
        else:
            seen.add(gram)
            place += 1
    return total


@settings(max_examples=150, deadline=None)
@given(st.lists(st.lists(st.sampled_from(["a", "bb", "ccc"]), max_size=60), min_size=1, max_size=4))
def test_repetition_agrees_with_a_word_by_word_count(texts: list[list[str]]) -> None:
    scores = SCORERS["repetition"](make_batch(pl.Series([" ".join(words) for words in texts], dtype=pl.String)))
    for index, words in enumerate(texts):
        size = max(1, len(" ".join(words)))
        for n in (2, 3, 4):
            assert scores[f"repetition.top_{n}gram"][index] == pytest.approx(top_gram(words, n) / size, abs=1e-5)
        for n in (5, 6, 7, 8, 9, 10):
            expected = repeated_grams(words, n) / size
            assert scores[f"repetition.repeated_{n}gram"][index] == pytest.approx(expected, abs=1e-5)


def test_every_statistic_that_is_scored_has_a_name_and_the_reverse() -> None:
    batch = make_batch(pl.Series([PROSE]))
    scored = {name for score in SCORERS.values() for name in score(batch)}
    assert scored == set(STATISTICS)
    assert all(name in STATISTICS for profile in PROFILES.values() for name in profile.limits)


def reasons(table: pa.Table, config: FilterConfig, scorers: tuple[str, ...] = tuple(SCORERS)) -> dict[str, str]:
    rejected = decide(table, score_table(table, scorers=scorers), config)
    return dict(zip(rejected["id"].to_pylist(), rejected["reason"].to_pylist(), strict=True))


@pytest.mark.parametrize(
    "edit, reason",
    [
        (lambda text: text, None),
        (lambda text: " ".join(text.split()[:20]), "too_short"),
        (lambda text: text.replace(" the ", " ").replace("The ", ""), None),
        (lambda text: re.sub(r"(?i)\b(the|of|and|that|have|with)\b", "such", text), "no_stop_words"),
        (lambda text: text + "\n# # # #" * 20, "many_hashes"),
        (lambda text: text.replace(" ", " 1234 "), "not_alphabetic"),
        (lambda text: text + ("\n" + "this line says the same again.") * 40, "repeated_lines"),
        (lambda text: text + " go on and on and on we go now" * 30, "one_phrase"),
        (lambda text: text.replace(".", ""), "unpunctuated"),
        (lambda text: "\n".join(text.replace(". ", ", ").split("\n")[:3]), "few_sentences"),
        (lambda text: text + "\nLorem ipsum dolor sit amet.", "lorem_ipsum"),
        (lambda text: re.sub(r"((?:\w+ ){3})", r"\1.\n", text), "short_lines"),
    ],
)
def test_prose_limits_tell_web_text_from_noise(
    prose: Callable[[int, int], str], documents: Callable[..., pa.Table], edit: Callable[[str], str], reason: str | None
) -> None:
    assert reasons(documents([edit(prose(1, 200))]), FilterConfig()).get("d0") == reason


def test_code_passes_the_code_profile_and_fails_as_prose(documents: Callable[..., pa.Table]) -> None:
    functions = (f"def area_{name}(width, height):\n    return width * height + {name}\n" for name in range(12))
    code = documents(["\n\n".join(functions)], domain="python-code")
    assert reasons(code, FilterConfig()) == {}
    assert reasons(code, FilterConfig(profiles={})) != {}


def test_synthetic_text_may_have_fences_lists_and_no_full_stops(
    prose: Callable[[int, int], str], documents: Callable[..., pa.Table]
) -> None:
    lesson = prose(3, 60).replace(".", "") + "\n\n```python\nprint({1: 2})\n```\n- try it\n- change the number"
    assert reasons(documents([lesson], source="synthetic"), FilterConfig()) == {}
    assert reasons(documents([lesson], source="web"), FilterConfig()) != {}


def test_chinese_text_is_judged_by_characters_and_bigrams(documents: Callable[..., pa.Table]) -> None:
    page = (
        "水在炉子上慢慢变热，因为火给了它能量。温度升高的时候，小气泡先在壶底出现，然后一个个浮上来。到了一百度，"
        "水就开始沸腾，不再变热，多余的能量都用来把水变成蒸汽。高山上的气压比较低，所以那里的水不到一百度就开了。"
        "煮饭的人知道这一点，于是发明了高压锅。蒸汽遇到冷的玻璃，又会变回水，这就是凝结。"
    )
    cases = [
        (page, None), (page[:80], "too_short"), ("机器学习数据" * 30 + "。在的是" * 3, "one_phrase"),
        ("".join(chr(0x4E00 + 91 * number) for number in range(200)) + "。" * 4, "no_function_characters"),
        ("".join(chr(0x4E00 + 91 * number) + "的是"[number % 2] for number in range(200)), "unpunctuated"),
        (page.replace("。", "，") + "。", "few_sentences"),
    ]  # fmt: skip
    found = reasons(documents([text for text, _ in cases], language="zh"), FilterConfig())
    assert [found.get(f"d{place}") for place in range(len(cases))] == [reason for _, reason in cases]


def test_text_of_two_scripts_is_not_judged_by_the_length_of_its_words(
    prose: Callable[[int, int], str], documents: Callable[..., pa.Table]
) -> None:
    """A third of ideographs, each a word of one character, says nothing against the English between them."""
    lines = prose(1, 200).split(".")
    mixed = ".".join(f"{line} 机器学习的数据" for line in lines)
    table = documents([mixed.replace("机器", "机 器 在 这")])
    assert "short_words" not in reasons(table, FilterConfig(), ("gopher",)).values()


def test_every_threshold_of_a_profile_says_where_it_is_from() -> None:
    unsaid = [
        (name, key) for name, one in PROFILES.items() for key, rule in one.limits.items() if not rule.source.strip()
    ]
    assert unsaid == []


def test_rules_on_word_length_leave_text_without_spaces_alone(documents: Callable[..., pa.Table]) -> None:
    chinese = "".join(
        f"第{chr(0x4E00 + 37 * n)}章讲{chr(0x5000 + 53 * n)}和{chr(0x5F00 + 29 * n)}的用处。\n" for n in range(25)
    )
    table = documents([chinese], language="zh")
    scores = score_table(table, scorers=("gopher",))
    assert scores["gopher.mean_word_length"][0].as_py() < 3
    assert reasons(table, FilterConfig(), ("gopher",)) == {}


def test_a_recipe_changes_and_switches_off_single_limits(documents: Callable[..., pa.Table]) -> None:
    table = documents(["The sun and the moon. " * 2])
    assert reasons(table, FilterConfig(), ("gopher",)) == {"d0": "too_short"}
    assert reasons(table, FilterConfig(limits={"prose": {"gopher.words": None}}), ("gopher",)) == {}
    assert reasons(table, FilterConfig(limits={"prose": {"gopher.words": Limit(at_least=5)}}), ("gopher",)) == {}


def test_a_limit_on_an_unknown_statistic_names_the_nearest() -> None:
    with pytest.raises(RecipeError, match=r"gopher\.wrds") as caught:
        limits_of(FilterConfig(limits={"prose": {"gopher.wrds": None}}), "prose")
    assert "gopher.words" in caught.value.hint
