"""What the source does not say is flagged, and what it says in other words is not."""

from __future__ import annotations

from collections import Counter

import pytest

from filters.chinese_names import chinese_names
from filters.claims import chinese_value, number_value, numbers_in
from filters.facts import Source, unsupported
from filters.planted_facts import self_test

PAGE = """Marie Curie was born in Warsaw in 1867. She moved to Paris in 1891 and studied physics at the University of Paris.
In 1898 she and Pierre Curie announced two new elements, polonium and radium. One gram of radium needed about 8,000 kilograms
of ore, and 40% of the salt was lost on the way. The International Atomic Energy Agency still uses her notes. She won three medals."""
PAGES = [
    PAGE,
    "The Golden Gate Bridge opened in May 1937. It is 2,737 metres long. Joseph Strauss led the work for 4 years. About 110,000 cars cross it each day. Its towers stand 227 metres above San Francisco Bay.",
    "Mount Kilimanjaro rises to 5,895 metres in Tanzania. Hans Meyer climbed it in 1889. Its ice lost 82% of its area between 1912 and 2007. The nearest town is Moshi. About 35,000 people try each year.",
    "Lake Baikal holds 23,615 cubic kilometres of water. It is 1,642 metres deep. Russia protects it since 1996. The Angara River flows out of it near Irkutsk. Seals live there, about 80,000 of them.",
]


@pytest.mark.parametrize("text", [
    "In 1891 Curie went to Paris.", "A gram took 8000 kilograms of ore.", "40 percent of the salt was lost.", "The IAEA keeps her notes.",
    "She won 3 medals.", "Born in 1867 and moved in 1891: 1891 - 1867 = 24.", "Step 7: weigh the radium of Curie.", "1. Polonium and radium were announced.",
])  # fmt: skip
def test_what_the_page_says_in_another_form_is_supported(text: str) -> None:
    found = unsupported(text, Source(PAGE))
    assert (found.numbers, found.names) == ((), ())


@pytest.mark.parametrize(("text", "number", "name"), [
    ("She moved to Paris in 1894 and never left.", "1894", ""), ("The ore weighed 8,700 kilograms.", "8,700", ""),
    ("She was taught by Ernest Rutherford in Paris.", "", "Ernest Rutherford"), ("Only 45% of it was lost.", "45%", ""),
    ("Later she went to Zurich with Pierre.", "", "Zurich"),
])  # fmt: skip
def test_what_the_page_does_not_say_is_flagged(text: str, number: str, name: str) -> None:
    found = unsupported(text, Source(PAGE))
    assert found.numbers == ((number,) if number else ())
    assert found.names == ((name,) if name else ())


def test_a_sentence_of_other_matters_is_an_unsupported_claim_and_a_retelling_is_not() -> None:
    retold = "The two new elements, polonium and radium, were announced by Pierre and Marie Curie."
    invented = "Volcanoes erupt where tectonic plates grind slowly against one another beneath oceans."
    found = unsupported(f"{retold} {invented}", Source(PAGE))
    assert found.claims == (invented,)


@pytest.mark.parametrize(("text", "flagged"), [
    ("The ore and the salt make 8,040 in total: 8,000 plus 40.", ()),
    ("It took 8,000 kilograms, 40 grams and 7,960 workers.", ("7,960",)),  # no sentence that calculates
    ("ATP stores 40% of it.", ("ATP",)), ("PARIS AND WARSAW", ()), ("Then RNA copies it.", ("RNA",)),
])  # fmt: skip
def test_only_a_sentence_that_calculates_makes_numbers_and_an_abbreviation_is_a_name_everywhere(
    text: str, flagged: tuple[str, ...]
) -> None:
    found = unsupported(text, Source(PAGE))
    assert (*found.numbers, *found.names) == flagged


@pytest.mark.parametrize(("text", "name"), [
    ("后来他到巴黎去。", "巴黎"), ("王小波认为，角龙生活在白垩纪。", "王小波"), ("据爱因斯坦所说。", "爱因斯坦"), ("数组的长度和深度。", ""),
    ("角龙是一种恐龙。", ""),
])  # fmt: skip
def test_a_chinese_name_that_nothing_marks_is_seen_and_a_common_word_is_none(text: str, name: str) -> None:
    assert unsupported(text, Source("角龙下目包含角龙。")).names == ((name,) if name else ())


def test_names_of_a_long_text_are_those_of_its_parts() -> None:
    sentence = "后来爱因斯坦和王小波到巴黎去，他们在那里住了很久。"
    assert Counter(chinese_names(sentence * 9000)) == Counter(list(chinese_names(sentence)) * 9000)
    assert list(chinese_names("汉" * 200_000)) == []


def test_a_latin_name_begins_a_chinese_sentence() -> None:
    found = unsupported("Python在这里使用。", Source("这里使用Julia语言。"))
    assert found.names == ("Python",)


def test_what_the_prompt_gave_is_no_invention() -> None:
    assert unsupported("Radium glows for Amara, who is 12.", Source(PAGE, given="Amara, 12 years")).names == ()


@pytest.mark.parametrize(
    ("said", "value"),
    [("1,000", "1000"), ("4.20", "4.2"), ("50 %", "50%"), ("-0", "0"), ("007", "7"), ("3.14", "3.14")],
)
def test_equal_numbers_have_one_value(said: str, value: str) -> None:
    assert number_value(said).lstrip("-") == value


@pytest.mark.parametrize("digits", [2_000_000, 50])
def test_a_number_beyond_arithmetic_is_compared_as_it_is_written(digits: int) -> None:
    said, other = "1" * digits, "1" * (digits - 1) + "2"
    text = f"The total of both is 0.{said} + 3 = {said}."
    assert unsupported(text, Source(text)).numbers == ()
    assert unsupported(text, Source(f"The total of both is 0.{said} + 3 = {other}.")).numbers == (said,)


@pytest.mark.parametrize(
    ("said", "value"),
    [("三百零五", 305), ("一万二千", 12000), ("十二", 12), ("二十", 20), ("一九四九", 1949), ("三亿", 300_000_000)],
)
def test_chinese_numerals_are_read(said: str, value: int) -> None:
    assert chinese_value(said) == value


def test_numbers_that_count_the_texts_own_parts_are_no_claims() -> None:
    text = "1. See Figure 3 and Table 12.\n2) In step 4, take 250 grams.\n第3章"
    assert [claim.said for claim in numbers_in(text)] == ["250"]


def test_a_chinese_page_is_held_against_chinese_text() -> None:
    page = "《本草纲目》由李时珍博士写成，成书于一五七八年，收录药物1892种。"
    good = unsupported("李时珍博士的《本草纲目》收录了1892种药物。", Source(page))
    bad = unsupported("王大明博士的《伤寒论》收录了2892种药物。", Source(page))
    assert (good.numbers, good.names) == ((), ())
    assert bad.numbers == ("2892",)
    assert {"伤寒论"} <= set(bad.names)


def test_planted_errors_are_found_and_retellings_are_not_blamed() -> None:
    for row in self_test(PAGES * 12, seed=3):
        assert row.planted >= 10
        assert row.precision >= 0.9, row
        assert row.recall >= 0.7, row
