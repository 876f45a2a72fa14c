"""Lines of a page's frame are found in English and Chinese, and what an author wrote is left."""

from __future__ import annotations

import pytest

from filters.boilerplate import BESIDE, HOLDS, LINKS, MENU, PHRASE, WEIGHED, boilerplate_lines

FRAME = [
    (PHRASE, "Skip to main content"), (PHRASE, "» Read more »"), (PHRASE, "Comments (12)"), (PHRASE, "返回顶部"), (PHRASE, "【分享到】"),
    (HOLDS, "We use cookies to improve your experience on this website."), (HOLDS, "Copyright © 2019 Example Media Group. All rights reserved."),
    (HOLDS, "Your email address will not be published. Required fields are marked *"), (HOLDS, "责任编辑：王小明"), (HOLDS, "京ICP备12345678号-1"),
    (HOLDS, "本文未经授权不得转载，如需转载请联系本站"), (LINKS, "Home | News | Sport | Weather"), (HOLDS, "首页 > 新闻 > 国内"), (LINKS, "About · Contact · Jobs"),
    (HOLDS, "Tags: rivers, mills"), (HOLDS, "上一篇：磨坊的故事"), (WEIGHED, "View full profile"), (WEIGHED, "Sign in with Google"), (WEIGHED, "查看全部12条回复"), (WEIGHED, "分享给好友"),
]  # fmt: skip
AUTHORED = [
    "Water boils at 100 degrees at sea level, and at less on a mountain.", "- home", "1. Search the index", "| name | value | unit |",
    "We share the cost equally.", "The privacy of a letter was protected by law in 1794.", "a > b > c", "x | y | z = 7", "分享是学习的好方法。",
    "他每天上网搜索资料，然后把笔记发给同学。", "## Contact", "In short: read more, and write every day.", "Newton", "北京",
    "Share prices fell for the third day in a row.", "A history of the newspaper", "<email>", "Comments on the theory of Newton", "网站的历史很短。", "微信改变了很多人的生活方式，也改变了商业",
]  # fmt: skip


@pytest.mark.parametrize(("kind", "line"), FRAME)
def test_a_line_of_the_frame_is_named_by_its_kind(kind: str, line: str) -> None:
    assert boilerplate_lines(["A sentence of the text stands here.", line]) == ["", kind]


@pytest.mark.parametrize("line", AUTHORED)
def test_what_an_author_wrote_stays(line: str) -> None:
    assert boilerplate_lines([line]) == [""]


def test_a_run_of_menu_lines_goes_with_the_unknown_ones_among_them() -> None:
    lines = [
        "Home",
        "Our Team",
        "Wine List",
        "Opening Hours",
        "Contact",
        "",
        "The kitchen opened in 1978, in a mill by the river.",
    ]
    assert [bool(kind) for kind in boilerplate_lines(lines)] == [True] * 5 + [False] * 2


def test_names_of_sections_in_a_row_are_a_menu_and_alone_are_headings() -> None:
    lines = ["体育", "财经", "科技", "房产", "教育"]
    assert boilerplate_lines(lines) == [MENU] * 5
    assert boilerplate_lines(["体育", "体育是人类的一项活动。", "财经"]) == ["", "", ""]


def test_a_short_list_of_names_without_a_known_phrase_stays() -> None:
    assert boilerplate_lines(["Mercury", "Venus", "Earth", "Mars", "Jupiter", "Saturn"]) == [""] * 6


def test_a_long_list_of_names_is_no_menu() -> None:
    names = [
        "Ann Reed",
        "Otto Kern",
        "Mei Lin",
        "Ivan Petrov",
        "Rosa Diaz",
        "Sam Cole",
        "Lea Roth",
        "Max Ober",
        "Eva Lund",
        "Jan Hus",
    ]
    assert boilerplate_lines(["Finalists", *names]) == [""] * 11


def test_cells_of_a_table_are_no_links_and_no_menu() -> None:
    assert boilerplate_lines(["Element | Symbol | Number |", "Iron | Fe | 26 |"]) == ["", ""]
    assert boilerplate_lines(["Home |", "News |", "Shop |", "About |", "Iron |", "Lead |"])[-1] == ""


def test_beside_lines_of_a_frame_less_is_enough() -> None:
    likely = "Local heroes"
    assert boilerplate_lines([likely]) == [""]
    page = ["Log in", "Read more", likely, "Share on Facebook", "", "A sentence of the text stands here."]
    assert boilerplate_lines(page)[2] == BESIDE
    assert boilerplate_lines([line for line, kind in zip(page, boilerplate_lines(page), strict=True) if not kind]) == [
        "",
        "",
    ]


def test_on_a_page_with_many_lines_of_a_frame_less_is_enough_everywhere() -> None:
    text = ["A sentence of the text stands here, and it is long enough to be nobody's menu."] * 4
    frame = ["Log in", "Read more", "Share on Facebook"]
    assert boilerplate_lines([*frame, *text, "Local heroes"])[-1] == BESIDE
    assert boilerplate_lines([*frame, *text * 20, "Local heroes"])[-1] == ""


def test_letters_of_a_quiz_are_no_menu() -> None:
    assert boilerplate_lines(["Home", "About us", "A", "B", "C", "D"])[2:] == [""] * 4


def test_a_few_known_names_do_not_take_a_long_list_with_them() -> None:
    people = ["Anna Berg", "Otto Kern", "Mei Lin", "Ivan Petrov", "Rosa Diaz", "Sam Cole", "Lea Roth", "Max Ober"]
    assert boilerplate_lines(["Log in", "Read more", *people])[2:] == [""] * 8


def test_code_in_a_fence_is_never_a_menu() -> None:
    lines = ["```", "Home", "Login", "Search", "Menu", "Help", "```"]
    assert boilerplate_lines(lines) == [""] * 7
