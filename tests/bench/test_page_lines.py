"""What the markup says of a line is what the weights of frame lines are learned from."""

from __future__ import annotations

from bench.frame_wordings import wordings
from bench.page_lines import CONTENT, FRAME, UNKNOWN, page_lines

LONG = "The river rises in the hills and falls two hundred metres before it meets the sea in the west."
PAGE = f"""<body><nav><a href=a>Home</a></nav><div class="share-bar">Tell a friend</div><div><h1>The river</h1>
<p>By a writer</p><p>{LONG}</p><h2>The mill</h2><p>{LONG} Again.</p><p>(ends)</p></div><a href=b>More</a><footer>Imprint</footer>"""


def test_the_frame_is_told_by_markup_and_the_content_lies_between_long_paragraphs() -> None:
    labels = {line.text: line.label for line in page_lines(PAGE)}
    assert {text for text, label in labels.items() if label == FRAME} == {"Home", "Tell a friend", "More", "Imprint"}
    assert {text for text, label in labels.items() if label == CONTENT} == {LONG, "The mill", f"{LONG} Again."}
    assert {text for text, label in labels.items() if label == UNKNOWN} == {"The river", "By a writer", "(ends)"}


def test_a_page_with_thousands_of_elements_in_one_is_read_at_once() -> None:
    assert len(page_lines("<body>" + "<p>A line.</p>" * 20_000)) == 20_000


def test_unseen_wordings_are_many_of_one_kind_and_were_not_learned_from() -> None:
    for language in ("en", "zh"):
        frames, content = (set(wordings("unseen", language, what)) for what in ("frame", "content"))
        assert min(len(frames), len(content)) >= 200
        assert not frames & content
        for what, lines in (("frame", frames), ("content", content)):
            assert not lines & set(wordings("written", language, what))
