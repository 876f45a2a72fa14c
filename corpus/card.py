"""The dataset card: what is in the dataset, how it was made and what it is not, computed and never typed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import yaml

from corpus.config import PublishConfig
from corpus.facts import Fact
from corpus.folder import DEFAULT, LABELS, REJECTED, TRAIN, VALIDATION
from corpus.manifest import Manifest
from corpus.markdown import bar, escape, fact_text, number, percent, table
from corpus.scrub import clean, scrubbed
from corpus.shelf import Shelf

# Upper bounds of the Hub's size categories.
_SIZES = ((10**3, "n<1K"), (10**4, "1K<n<10K"), (10**5, "10K<n<100K"), (10**6, "100K<n<1M"), (10**7, "1M<n<10M"),
          (10**8, "10M<n<100M"), (10**9, "100M<n<1B"))  # fmt: skip
# Licences that the Hub knows by a lower-case SPDX id; any other is `other` with its name beside it.
_HUB_LICENCES = frozenset({"apache-2.0", "mit", "cc0-1.0", "cc-by-4.0", "cc-by-sa-4.0", "cc-by-3.0", "cc-by-sa-3.0",
                           "cc-by-nc-4.0", "cc-by-nc-sa-4.0", "bsd-2-clause", "bsd-3-clause", "odc-by", "odbl", "pddl",
                           "unlicense", "gpl-3.0", "mpl-2.0"})  # fmt: skip
_SHOWN = (
    "quality",
    "soft_labels",
    "duplicates",
    "coverage.short",
    "yield.short",
    "diversity.languages",
    "diversity.templates",
    "blend",
    "arms",
    "bpb",
    "ledger",
)  # facts quoted, in this order

_COLUMNS = (
    ("id", "Name of the document: the same content from the same place has the same id everywhere."),
    ("text", "The document."),
    ("source", "`synthetic` for what the teacher wrote, else the recipe's name of the source."),
    ("licence", "Licence of this row, as an SPDX id where there is one."),
    ("origin", "Where the text was read, or `teacher`."),
    ("language, domain, topic, form, audience", "What was asked for, or what the source is said to be."),
    ("tokens", "Length by the run's one tokenizer."),
    ("lineage", "Slot, request, template, teacher, finish reason, seeds and parents of a written document."),
    ("score_…", "Every statistic that the filters computed, whether it decided anything or not."),
)


def render_card(title: str, manifests: Mapping[str, Manifest], shelf: Shelf, config: PublishConfig,
                recipe: Mapping[str, Any]) -> str:  # fmt: skip
    """The `README.md` of a publication, its YAML header included."""
    parts = [
        _header(title, shelf, config),
        f"# {escape(title)}",
        _lead(manifests, shelf),
        _headline(shelf),
        _loading(shelf, config),
        _columns(),
        _making(manifests),
        _reasons(shelf),
        _sources(shelf, config),
        _teacher(shelf),
        _measured(manifests),
        _limits(shelf, config),
        _provenance(manifests, shelf, recipe),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def data_files(shelf: Shelf) -> list[dict[str, Any]]:
    """The `configs` of the YAML header: all documents, one config a domain, soft labels, and the rejected rows."""
    found = [_config(DEFAULT, {split: f"data/*/{split}-*.parquet" for split in shelf.splits()})]
    for name, splits in shelf.configs.items():
        found.append(_config(name, {split: f"data/{name}/{split}-*.parquet" for split in splits}))
    if shelf.labelled:
        found.append(_config(LABELS, {split: f"{LABELS}/{split}-*.parquet" for split in shelf.labelled}))
    if shelf.rejected:
        found.append(_config(REJECTED, {TRAIN: f"{REJECTED}/{TRAIN}-*.parquet"}))
    return found


def _config(name: str, splits: Mapping[str, str]) -> dict[str, Any]:
    files = [{"split": split, "path": path} for split, path in splits.items()]
    return {"config_name": name, "data_files": files} | ({"default": True} if name == DEFAULT else {})


def _header(title: str, shelf: Shelf, config: PublishConfig) -> str:
    head: dict[str, Any] = {
        "pretty_name": title,
        **_licence(config),
        "language": sorted(shelf.languages),
        "size_categories": [next((name for limit, name in _SIZES if shelf.rows < limit), "n>1T")],
        "task_categories": ["text-generation"],
        "tags": [*(["synthetic"] if shelf.written else []), "hornbook"],
        "configs": data_files(shelf),
    }
    return f"---\n{yaml.safe_dump(head, sort_keys=False, allow_unicode=True)}---"


def _licence(config: PublishConfig) -> dict[str, str]:
    if not config.licence:
        return {}
    known = config.licence.lower()
    return {"license": known} if known in _HUB_LICENCES else {"license": "other", "license_name": config.licence}


def _lead(manifests: Mapping[str, Manifest], shelf: Shelf) -> str:
    any_stage = next(iter(manifests.values()))
    parts = {"written by a language model": shelf.written, "read from existing sources": shelf.rows - shelf.written}
    kinds = [(count, how) for how, count in parts.items() if count]
    if len(kinds) == 1:
        said = f"**{_many(shelf.rows, 'document')}** {kinds[0][1]}"
    else:
        said = f"**{_many(shelf.rows, 'document')}**: {' and '.join(f'{number(count)} {how}' for count, how in kinds)}"
    said += f", in {_many(len(shelf.domains), 'domain')}."
    return f"{said} Made with Hornbook as `{any_stage.name}@{any_stage.version}`; every figure on this page is computed from the run."


def _headline(shelf: Shelf) -> str:
    mean = shelf.tokens / shelf.rows if shelf.rows else 0
    return table(
        ["documents", "tokens", "tokens a document", "characters", "domains", "forms", "languages"],
        [
            [
                shelf.rows,
                shelf.tokens,
                round(mean),
                shelf.characters,
                len(shelf.domains),
                len(shelf.forms),
                ", ".join(sorted(shelf.languages)),
            ]
        ],
    )


def _loading(shelf: Shelf, config: PublishConfig) -> str:
    where = config.repo or "path/to/this/folder"
    one = next(iter(shelf.configs))
    lines = [
        "from datasets import load_dataset",
        "",
        f'everything = load_dataset("{where}")',
        f'one_domain = load_dataset("{where}", "{one}", split="train")' if TRAIN in shelf.configs[one] else "",
        f'labels = load_dataset("{where}", "{LABELS}")' if shelf.labelled else "",
        f'rejected = load_dataset("{where}", "{REJECTED}", split="{TRAIN}")' if shelf.rejected else "",
    ]
    code = "\n".join(line for index, line in enumerate(lines) if line or index == 1)
    rows = [[f"`{name}`", splits.get(TRAIN, 0), splits.get(VALIDATION, 0)] for name, splits in shelf.configs.items()]
    total = shelf.splits()
    everything = [f"`{DEFAULT}` (all)", total.get(TRAIN, 0), total.get(VALIDATION, 0)]
    labelled = [shelf.labelled.get(split, 0) for split in (TRAIN, VALIDATION)]
    rows += [[f"`{LABELS}`", *labelled]] if shelf.labelled else []
    rows += [[f"`{REJECTED}`", shelf.rejected, 0]] if shelf.rejected else []
    configs = table(["config", TRAIN, VALIDATION], [everything, *rows], raw=True)
    note = "A document's split is a function of its id: it stays where it is from version to version."
    if shelf.labelled:
        note += (f" `{LABELS}` holds the teacher's likeliest tokens for {number(sum(labelled))} documents, joined by `id`: "
                 "for each of the tokens `token_ids` its log-probability, and `k` entries of `top_ids` and `top_logprobs`, "
                 "before temperature.")  # fmt: skip
    return f"## Load it\n\n```python\n{code}\n```\n\n{configs}\n\n{note}"


def _columns() -> str:
    return "## Columns\n\n" + table(
        ["column", "what it holds"], [[f"`{name}`", said] for name, said in _COLUMNS], raw=True
    )


def _making(manifests: Mapping[str, Manifest]) -> str:
    rows = []
    for stage, manifest in manifests.items():
        balance = manifest.balance
        into = balance.taken + balance.made + balance.repeated
        if into:
            rows.append([stage, into, balance.kept, balance.rejected, balance.unused, percent(balance.kept, into)])
    head = ["stage", "in", "kept", "rejected", "unused", "kept of in"]
    said = "Every row that went into a stage came out of it: kept, rejected for a named reason, or unused."
    return f"## How it was made\n\n{table(head, rows)}\n\n{said} The table counts the whole run, published or not."


def _reasons(shelf: Shelf) -> str:
    if not shelf.reasons:
        return ""
    total = sum(shelf.reasons.values())
    rows = [[f"`{reason}`", count, percent(count, total), bar(count, max(shelf.reasons.values()))]
            for reason, count in shelf.reasons.most_common()]  # fmt: skip
    said = f"The config `{REJECTED}` lists them by id, with stage, reason and scores."
    return f"### Why rows were rejected\n\n{table(['reason', 'rows', 'share', ''], rows, raw=True)}\n\n{said}"


def _sources(shelf: Shelf, config: PublishConfig) -> str:
    rows = [[source, licence, count, tokens] for (source, licence), (count, tokens) in sorted(shelf.sources.items())]
    stated = f"The owner publishes the dataset as **{escape(config.licence)}**. " if config.licence else ""
    said = f"{stated}Each row carries its own licence; these are the licences of the rows, as their sources state them."
    return f"## Sources and licences\n\n{said}\n\n{table(['source', 'licence', 'documents', 'tokens'], rows)}"


def _teacher(shelf: Shelf) -> str:
    if not shelf.teachers:
        return ""
    rows = [[f"`{escape(name)}`", count] for name, count in shelf.teachers.most_common()]
    ends = ", ".join(f"{number(count)} by `{name}`" for name, count in shelf.endings.most_common())
    said = (
        f"The prompts came from {_many(len(shelf.templates), 'template')}. The published documents cost "
        f"{number(shelf.prompt_tokens)} prompt tokens and {number(shelf.completion_tokens)} completion tokens. "
        f"Replies ended: {ends}."
    )
    return f"## Teacher\n\n{table(['model @ revision', 'documents'], rows, raw=True)}\n\n{said}"


def _measured(manifests: Mapping[str, Manifest]) -> str:
    facts = list(_facts(manifests))
    return "\n\n".join(["## What was measured", *facts]) if facts else ""


def _facts(manifests: Mapping[str, Manifest]) -> Iterator[str]:
    """Facts worth quoting, of whatever stage: tables, counts and figures whose name begins with a known one."""
    for prefix in _SHOWN:
        for manifest in manifests.values():
            for name, fact in manifest.facts.items():
                if (name == prefix or name.startswith(prefix + ".")) and (text := _fact(fact)):
                    yield text


def _fact(fact: Fact) -> str:
    text = fact_text(fact)
    return f"### {escape(fact['title'])}\n\n{clean(text)}" if text else ""


def _limits(shelf: Shelf, config: PublishConfig) -> str:
    said = [
        "Filters are statistics. They miss text that is wrong but well formed, and they reject some that is right.",
        "Personal data and secrets were searched for by pattern and checksum; a search of that kind never finds all.",
    ]
    if shelf.written:
        whole = "All" if shelf.written == shelf.rows else percent(shelf.written, shelf.rows)
        said.insert(0, f"{whole} of the documents were written by a language model. They can be wrong in every way in "
                       "which such text is wrong, and nobody has checked them one by one.")  # fmt: skip
    if any(name.startswith("embedded@") for name in shelf.teachers):
        said.insert(1, "The teacher was the embedded one, a model of 135 million parameters that writes fluent English of "
                       "modest truth: this dataset shows that the machinery works, and is no teaching material.")  # fmt: skip
    if shelf.unknown_licence:
        said.append(f"{number(shelf.unknown_licence)} rows are of **unknown licence**: find out before you use them.")
    if shelf.cut:
        said.append(
            f"{number(shelf.cut)} replies were cut at the token limit and, where the recipe says so, trimmed to a sentence."
        )
    withheld = "without text" if not config.rejected_text else "with text, except sensitive, toxic or contaminated rows"
    said.append(f"Rejected rows are published {withheld}.")
    return "## Limits\n\n" + "\n".join(f"- {line}" for line in said)


def _provenance(manifests: Mapping[str, Manifest], shelf: Shelf, recipe: Mapping[str, Any]) -> str:
    rows = [[stage, f"`{manifest.fingerprint[:16]}`", f"`{manifest.code[:16]}`", manifest.created]
            for stage, manifest in manifests.items()]  # fmt: skip
    written = yaml.safe_dump(scrubbed(recipe), sort_keys=False, allow_unicode=True).replace("```", "'''")
    return (
        f"## Provenance\n\nDataset hash `{shelf.dataset_hash}`: over the values of every row, in any order and any "
        "number of files. `hornbook verify` recomputes it, and the checksum of every file in `hornbook.json`.\n\n"
        f"{table(['stage', 'fingerprint', 'code', 'finished'], rows, raw=True)}\n\n"
        f"<details>\n<summary>The recipe</summary>\n\n```yaml\n{written}```\n\n</details>"
    )


def _many(count: int, name: str) -> str:
    return f"{number(count)} {name}{'' if count == 1 else 's'}"
