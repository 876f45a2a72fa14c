"""The recipes that come with Hornbook: valid here and in an editor, planned, previewed, and a start for one's own."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import jsonschema
import pytest
import yaml

from corpus.errors import IncompleteError, RecipeError
from corpus.manifest import table_of
from corpus.store import open_store
from ray_jobs.cli.overview import plan_of
from ray_jobs.drive import run
from ray_jobs.preview import preview_rows
from ray_jobs.resolve import resolve
from ray_jobs.shipped import SCHEMA, schema_text, write_recipe
from ray_jobs.talk import Talk
from tests.fakes.fake_teacher import FakeTeacher

HOME = Path(__file__).parents[2] / "recipes"
SHIPPED = sorted(HOME.glob("*.yaml"))
ENGLISH = [
    "Water boils sooner on a mountain, because the air presses on it with less force than at the sea. Whoever wants a "
    "hard egg up there has to wait for some minutes more. The number of a hundred degrees holds at sea level only. A closed pot "
    "turns this around. The steam cannot leave, presses on the water, and the beans are soft in half the time.",
    "A seed carries a small plant and its first meal. When the soil is wet and warm, the root comes out and finds its "
    "way down, and then the leaves turn to the light. From that day on the plant makes its own food out of air. The "
    "meal in the seed is gone by then. This is why large seeds can wait deep in the ground, and small ones cannot.",
    "Prices tell people what others want and what there is of it. If a bad harvest makes bread dear, bakers save flour, "
    "farmers sow more wheat, and some of the buyers take potatoes. Nobody has to order any of them to do it. "
    "A law that holds the price down hides the news. The bread is then cheap, and the shelf is empty by noon.",
]
CHINESE = [
    "水在高山上沸腾得比在平地上早，因为那里的空气更稀薄，压在水面上的力量更小。一个登山的人如果想煮熟鸡蛋，就要多等几分钟，"
    "这是因为沸腾的水并不够热。学生常常以为沸腾总是发生在一百度，其实这个数字只适用于海平面。高压锅正好相反。锅里的蒸汽出不去，压在水上，豆子很快就软了。",
    "一粒种子里面有一株很小的植物，还有它的第一顿饭。土壤又湿又暖的时候，根先长出来，向下寻找水分，然后叶子转向阳光。"
    "从那一天起，植物就用空气和水制造自己的食物，不再需要种子里的储备。大种子能在深土里等待。小种子的储备太少，只能留在靠近地面的地方。",
    "价格告诉人们别人想要什么，也告诉他们东西还剩多少。如果收成不好，面包变贵，面包师就会节省面粉，农民会多种小麦，"
    "有些顾客改吃土豆。没有人需要命令他们这样做，价格已经把消息传给了每一个人。如果法律压低价格，消息就被藏了起来。面包虽然便宜，货架到中午就空了。",
]


@pytest.fixture(scope="module")
def fake() -> Iterator[FakeTeacher]:
    with FakeTeacher() as server:
        yield server


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_a_shipped_recipe_is_valid_and_planned_as_what_its_file_is_called(path: Path, tmp_path: Path) -> None:
    assert resolve(path.stem, (), {}).recipe.name == path.stem
    found = plan_of(path.stem, [f"store={tmp_path}"])
    assert found["next stage"] == "read"


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_a_shipped_recipe_that_asks_a_teacher_is_previewed(path: Path, fake: FakeTeacher) -> None:
    recipe = resolve(path.stem, [f"teacher.endpoints=['{fake.url}']", f"teacher.model={fake.model}"], {}).recipe
    if recipe.generate is None:
        with pytest.raises(RecipeError, match="nothing to preview"):
            list(preview_rows(recipe, 1))
        return
    if recipe.generate.seeds:
        with pytest.raises(IncompleteError, match="once the sources are read"):
            list(preview_rows(recipe, 1))
        return
    (shown,) = preview_rows(recipe, 1)
    assert "── reply" in shown


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_the_schema_that_editors_are_pointed_to_is_there_and_accepts_the_recipe(path: Path) -> None:
    first = path.read_text("utf-8").splitlines()[0]
    schema = path.parent / first.removeprefix("# yaml-language-server: $schema=")
    jsonschema.validate(yaml.safe_load(path.read_text("utf-8")), json.loads(schema.read_text("utf-8")))


def test_the_committed_schema_is_that_of_the_code() -> None:
    written = json.loads((HOME / SCHEMA).read_text("utf-8"))
    assert written == json.loads(schema_text()), f"run: hornbook schema > recipes/{SCHEMA}"


def test_the_schema_refuses_a_key_that_the_code_refuses() -> None:
    with pytest.raises(jsonschema.ValidationError, match="documnets"):
        jsonschema.validate({"name": "x", "generate": {"documnets": 3}}, json.loads(schema_text()))


def test_a_new_recipe_has_its_own_name_and_a_schema_beside_it(tmp_path: Path) -> None:
    path = write_recipe(tmp_path / "Rocks & Stars", "phi15-textbooks")
    assert path.name == "Rocks & Stars.yaml"
    recipe = resolve(str(path), (), {}).recipe
    assert recipe.name == "rocks-stars"
    assert recipe.blend.weights == {"synthetic": 80, "code": 20}
    pointed = path.read_text("utf-8").splitlines()[0].partition("$schema=")[2]
    assert json.loads((tmp_path / pointed).read_text("utf-8")) == json.loads(schema_text())
    with pytest.raises(RecipeError, match="exists"):
        write_recipe(path, "demo")


def test_the_bilingual_recipe_keeps_good_text_of_both_languages(tmp_path: Path) -> None:
    from trainer.tokenizer import train_tokenizer

    tokenizer = train_tokenizer([*ENGLISH, *CHINESE], 400, tmp_path / "tokenizer").parent
    settings = [f"store={tmp_path}", f"teacher.tokenizer={tokenizer}", "student=null", "generate=null",
                "blend.weights={english: 241, chinese: 82}", "run.workers=0"]  # fmt: skip
    for name, texts in {"english": [*ENGLISH, CHINESE[0]], "chinese": [*CHINESE, ENGLISH[0]]}.items():
        rows = [json.dumps({"text": text}) for text in texts]
        (tmp_path / f"{name}.jsonl").write_text("\n".join(rows) + "\n", "utf-8")
        settings.append(f"sources.{name}.paths=['{tmp_path}/{name}.jsonl']")
    manifests = run(resolve("bilingual", settings, {}).recipe, talk=Talk(quiet=True)).manifests
    kept = table_of(open_store(tmp_path / "bilingual@1" / "filter"), manifests["filter"], "documents").to_pylist()
    assert sorted((row["source"], row["language"]) for row in kept) == [("chinese", "zh")] * 3 + [("english", "en")] * 3
    assert manifests["filter"].reasons == {"language": 2}


def test_a_run_that_keeps_nothing_ends_with_its_reasons(tmp_path: Path) -> None:
    (tmp_path / "short.jsonl").write_text('{"text": "Too short."}\n', "utf-8")
    (tmp_path / "mine.yaml").write_text(
        f"name: mine\nsources: {{web: {{kind: files, paths: [{tmp_path}/short.jsonl]}}}}\n", "utf-8"
    )
    settings = [f"store={tmp_path}", "filters.quality=0", "run.workers=0"]
    manifests = run(resolve(str(tmp_path / "mine.yaml"), settings, {}).recipe, talk=Talk(quiet=True)).manifests
    assert manifests["filter"].balance.kept == 0
    assert sum(manifests["filter"].reasons.values()) == 1
