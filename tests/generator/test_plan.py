from __future__ import annotations

import dataclasses
from collections import Counter

import pytest

from corpus.errors import RecipeError
from generator.config import GenerateConfig
from generator.plan import plan_slots
from generator.request import make_request
from generator.teacher_config import TeacherConfig
from prompts.form import Draw
from prompts.library import Library, load_library
from prompts.seeds import Seed

LIBRARY = load_library()


def plan(documents: int, seed: int = 3, **more: object):  # type: ignore[no-untyped-def]
    return plan_slots(GenerateConfig(documents=documents, **more), LIBRARY, seed)


def test_a_longer_plan_extends_a_shorter_one() -> None:
    assert plan(500)[:120] == plan(120)


def test_no_slot_repeats_and_no_cell_before_all_were_used() -> None:
    slots = plan(3000)
    assert len({slot.id for slot in slots}) == 3000
    leaves, readers = LIBRARY.domains["history"].leaves, LIBRARY.audiences.values()
    cells = sum(reader.suits(topic.level) for topic in leaves for reader in readers) * len(LIBRARY.styles)
    one = plan(cells + 1, domains=("history",), forms=("story",))
    assert len({slot.cell for slot in one[:cells]}) == cells
    assert one[cells].ordinal == 1
    assert {slot.ordinal for slot in one[:cells]} == {0}


def test_slots_are_spread_evenly_over_domain_and_form() -> None:
    counts = Counter((slot.cell.domain, slot.cell.form) for slot in plan(340))
    assert max(counts.values()) - min(counts.values()) <= 1


def test_a_small_plan_has_every_language_and_many_domains_and_forms() -> None:
    cells = [slot.cell for slot in plan(24, languages=("en", "zh"))]
    assert Counter(cell.language for cell in cells) == {"en": 12, "zh": 12}
    assert len({cell.domain for cell in cells}) >= 12
    assert len({cell.form for cell in cells}) >= 8


def test_another_seed_gives_other_slots() -> None:
    assert not {slot.id for slot in plan(100, 1)} & {slot.id for slot in plan(100, 2)}


def test_an_unknown_domain_lists_the_known_ones() -> None:
    with pytest.raises(RecipeError) as caught:
        plan(1, domains=("phisics",))
    assert "physics" in caught.value.hint


def request_key(attempt: int = 0, **changes: object) -> str:
    config = GenerateConfig(documents=1, max_tokens=int(str(changes.pop("max_tokens", 256))))
    (slot,) = plan_slots(config, LIBRARY, 3)
    return make_request(slot, attempt, LIBRARY, TeacherConfig(**changes), config, 3).key


def test_limits_and_endpoints_are_no_part_of_a_requests_identity() -> None:
    assert request_key() == request_key(
        max_tokens=512, timeout_s=9, concurrency=3, endpoints=("http://127.0.0.1:1/v1",)
    )


@pytest.mark.parametrize("change", [{"temperature": 0.1}, {"top_p": 0.5}, {"model": "other"}, {"revision": "abc"}])
def test_model_revision_and_sampling_are(change: dict[str, object]) -> None:
    assert request_key() != request_key(**change)


def test_an_attempt_has_a_key_of_its_own() -> None:
    assert request_key(0) != request_key(1)


def test_no_topic_comes_again_before_every_other_came_as_often() -> None:
    slots = plan(300, domains=("biology",), forms=("textbook_section",))
    topics = len(LIBRARY.domains["biology"].leaves)
    for start in (0, topics, 2 * topics):
        assert len({slot.cell.topic for slot in slots[start : start + topics]}) == topics
    first = [slot.cell for slot in slots[:topics]]
    assert len({(cell.audience, cell.style) for cell in first}) > topics // 3


def test_readers_get_topics_of_their_level_and_forms_theirs() -> None:
    for slot in plan(3000):
        domain, cell = LIBRARY.domains[slot.cell.domain], slot.cell
        level = domain.leaf[cell.topic].level
        assert LIBRARY.audiences[cell.audience].suits(level)
        assert level in LIBRARY.forms[cell.form].levels
        assert cell.form != "child_story" or cell.audience == "child"


def test_languages_share_the_plan_evenly_and_english_alone_is_the_default() -> None:
    assert {slot.cell.language for slot in plan(50)} == {"en"}
    counts = Counter(slot.cell.language for slot in plan(1000, languages=("en", "zh")))
    assert abs(counts["en"] - counts["zh"]) <= len(LIBRARY.domains) * len(LIBRARY.forms)
    assert set(counts) == {"en", "zh"}
    chinese = plan(40, languages=("zh",), domains=("physics",))
    assert {slot.cell.topic for slot in chinese} <= {
        topic.title for topic in LIBRARY.of("zh").domains["physics"].leaves
    }


SEEDS = [Seed(f"s{index}", f"Page {index}.", "en", f"title {index % 2}") for index in range(5)]


def test_forms_that_rewrite_use_every_seed_before_one_comes_again_and_no_slot_twice() -> None:
    slots = plan_slots(GenerateConfig(documents=300, forms=("rewrite_faq",)), LIBRARY, 3, SEEDS)
    assert len({slot.id for slot in slots}) == 300
    for start in range(0, 300, 5):
        assert {slot.seed_ids for slot in slots[start : start + 5]} == {(seed.id,) for seed in SEEDS}
    assert plan_slots(GenerateConfig(documents=100, forms=("rewrite_faq",)), LIBRARY, 3, SEEDS) == slots[:100]


def test_without_seeds_rewriting_is_left_out_and_asking_for_it_is_an_error() -> None:
    assert not any(slot.seed_ids for slot in plan(3000))
    with pytest.raises(RecipeError, match="`rewrite_table` rewrites documents"):
        plan(3, forms=("rewrite_table",))
    with pytest.raises(RecipeError, match="`rewrite_table` rewrites documents"):
        plan_slots(GenerateConfig(documents=3, forms=("rewrite_table",), languages=("zh",)), LIBRARY, 3, SEEDS)


def test_a_request_names_its_seeds_and_a_missing_seed_is_named() -> None:
    config = GenerateConfig(documents=1, forms=("rewrite_faq",))
    (slot,) = plan_slots(config, LIBRARY, 3, SEEDS)
    request = make_request(slot, 0, LIBRARY, TeacherConfig(), config, 3, {seed.id: seed for seed in SEEDS})
    assert request.seed_ids == slot.seed_ids
    with pytest.raises(RecipeError, match=slot.seed_ids[0]):
        make_request(slot, 0, LIBRARY, TeacherConfig(), config, 3)


def test_a_form_is_drawn_as_the_recipe_says_for_it_else_as_its_file_does_else_as_all() -> None:
    teacher = TeacherConfig(temperature=0.8, top_p=0.9)
    (slot,) = plan(1, forms=("story",))
    own = LIBRARY.forms["story"].model_copy(update={"draw": Draw(temperature=1.1, max_tokens=700)})
    library = dataclasses.replace(LIBRARY, forms={**LIBRARY.forms, "story": own})

    def asked(shelf: Library, **draw: Draw) -> tuple[float, float, int, str]:
        request = make_request(slot, 0, shelf, teacher, GenerateConfig(max_tokens=512, draw=draw), 3)
        return request.sampling.temperature, request.sampling.top_p, request.demands.max_tokens, request.key

    plain, drawn = asked(LIBRARY), asked(library)
    both = asked(library, story=Draw(temperature=0.2))
    assert [found[:3] for found in (plain, drawn, both)] == [(0.8, 0.9, 512), (1.1, 0.9, 700), (0.2, 0.9, 700)]
    assert len({plain[3], drawn[3], both[3]}) == 3, "another temperature is another request"
    assert asked(library, story=Draw(max_tokens=64))[3] == drawn[3], "room is a demand, not an identity"


def test_sampling_for_a_form_that_is_not_there_is_refused() -> None:
    with pytest.raises(RecipeError, match="no form `stroy`"):
        plan(1, draw={"stroy": Draw(temperature=0.1)})
