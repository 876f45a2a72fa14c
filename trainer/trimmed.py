"""The teacher's tokenizer with the tokens that a student needs: what distillation can line up, at a tenth of the cost.

A byte-level BPE is cut down to some of its tokens, the 256 bytes, the special tokens, and every token that lies between a
kept one and its bytes. So it closes: any text can be encoded, and a text whose tokens are all kept is encoded as the
teacher encodes it. (Merges are applied by rank. Those that the teacher's encoding used lie between its tokens and their
bytes, so all of them are kept; of fewer merges the lowest rank is the same one wherever it was before.)

The folder holds the tokenizer and `kept.npy`: the teacher's id of each of ours, −1 for a byte that the teacher lacks.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from corpus.errors import RecipeError
from corpus.tokens import load_counter
from trainer import files
from trainer.tokenizer import PAD, TOKENIZER, TOKENIZER_CONFIG, load_tokenizer, start_token, tokenizer_file

KEPT, ORIGIN = "kept.npy", "trimmed_from.json"


def count_tokens(teacher: Path, texts: Iterable[str]) -> np.ndarray:
    """How often each of the teacher's tokens occurs; int64 [vocabulary]."""
    tokenizer = load_tokenizer(teacher)
    counts = np.zeros(tokenizer.get_vocab_size(), dtype=np.int64)
    batch: list[str] = []
    for text in texts:
        batch.append(text)
        if len(batch) == 512:
            _count(tokenizer, batch, counts)
            batch = []
    _count(tokenizer, batch, counts)
    return counts


def trim(teacher: Path, needed: np.ndarray, wanted: np.ndarray, size: int, out: Path) -> Path:
    """Write the folder `out`; gives back its `tokenizer.json`.

    `needed`, `wanted`: weight of each of the teacher's tokens, [vocabulary]. All with a weight in `needed` are kept
    (tokens of labelled text), then the heaviest of `wanted` (other text, the teacher's likeliest next tokens) while
    there is room in `size`. Raises `RecipeError` for a tokenizer of another kind, or when `size` is too small.
    """
    whole = json.loads(tokenizer_file(teacher).read_text("utf-8"))
    vocabulary, merges = _byte_level(whole, teacher)
    specials = {item["content"]: item["id"] for item in whole["added_tokens"]}
    names = {number: token for token, number in (vocabulary | specials).items()}
    ancestry = _Ancestry(merges)
    kept = {token for token in _alphabet() if token in vocabulary} | set(specials)
    for number in np.flatnonzero(needed).tolist():
        kept |= ancestry.of(names[number])
    room = size - len([token for token in _alphabet() if token not in vocabulary]) - 1  # the last one for padding
    if len(kept) > room:
        raise RecipeError(
            f"student.vocab_size {size} is too small: the labelled text needs {len(kept) + size - room:,} of the teacher's tokens",
            hint="raise it, or label less text",
        )
    for number in np.argsort(-wanted, kind="stable")[: int((wanted > 0).sum())].tolist():
        more = ancestry.of(names[number]) - kept
        if len(kept) + len(more) <= room:
            kept |= more
    return _write(whole, vocabulary | specials, kept, merges, teacher, out)


def kept_ids(folder: Path) -> np.ndarray:
    """The teacher's id of each of the trimmed tokenizer's, int64; −1 for what the teacher lacks."""
    return np.load(folder / KEPT, allow_pickle=False)


def origin(folder: Path) -> str:
    """Hash of the `tokenizer.json` that the one in `folder` was cut from, else of its own: what labels are named after."""
    file = folder / ORIGIN
    return json.loads(file.read_text("utf-8"))["hash"] if file.is_file() else _hash(folder)


class _Ancestry:
    """The tokens between a token and its characters, by the merges that make it."""

    def __init__(self, merges: list[tuple[str, str]]) -> None:
        self._ranks = {pair: rank for rank, pair in enumerate(merges)}

    def of(self, token: str) -> set[str]:
        """`token`, its characters, and what is merged on the way."""
        parts, found = list(token), {token, *token}
        while len(parts) > 1:
            ranks = [self._ranks.get(pair, len(self._ranks)) for pair in itertools.pairwise(parts)]
            best = min(ranks)
            if best == len(self._ranks):
                break  # a special token, or one that no merge makes
            place = ranks.index(best)
            parts[place : place + 2] = [parts[place] + parts[place + 1]]
            found.add(parts[place])
        return found


def _write(
    whole: dict[str, Any],
    ids: Mapping[str, int],
    kept: set[str],
    merges: list[tuple[str, str]],
    teacher: Path,
    out: Path,
) -> Path:
    start = str(load_tokenizer(teacher).id_to_token(start_token(load_tokenizer(teacher), teacher)))
    ordered = sorted((token for token in kept if token in ids), key=ids.__getitem__)
    ordered += [token for token in _alphabet() if token not in ids]
    ordered += [] if PAD in ids else [PAD]
    old = np.array([ids.get(token, -1) for token in ordered], dtype=np.int64)
    new = {token: number for number, token in enumerate(ordered)}
    added = [item | {"id": new[item["content"]]} for item in whole["added_tokens"]]
    added += [] if PAD in ids else [_special(PAD, new[PAD])]
    model = whole["model"] | {"vocab": new, "merges": [list(pair) for pair in merges if {*pair, "".join(pair)} <= kept]}
    template = {"type": "TemplateProcessing", "single": [_token(start), _sequence("A")], "pair": [
        _token(start), _sequence("A"), _token(start), _sequence("B")],
        "special_tokens": {start: {"id": start, "ids": [new[start]], "tokens": [start]}}}  # fmt: skip
    settings = {"tokenizer_class": "PreTrainedTokenizerFast", "bos_token": start, "eos_token": start, "pad_token": PAD,
                "clean_up_tokenization_spaces": False, "add_prefix_space": False}  # fmt: skip
    content = {
        TOKENIZER: whole | {"added_tokens": added, "model": model, "post_processor": template},
        TOKENIZER_CONFIG: settings,
        ORIGIN: {"tokenizer": teacher.name, "hash": _hash(teacher), "tokens": len(ordered), "of": len(ids)},
    }
    with files.whole_folder(out, replace=True) as folder:
        for name, value in content.items():
            (folder / name).write_text(json.dumps(value, ensure_ascii=False), "utf-8")
        np.save(folder / KEPT, old, allow_pickle=False)
    return out / TOKENIZER


def _byte_level(whole: dict[str, Any], teacher: Path) -> tuple[dict[str, int], list[tuple[str, str]]]:
    model = whole["model"]
    if model["type"] != "BPE" or model.get("byte_fallback") or "ByteLevel" not in json.dumps(whole.get("decoder")):
        raise RecipeError(f"{teacher}: a tokenizer of type {model['type']} cannot be trimmed, only byte-level BPE",
                          hint="leave student.tokenizer out, or name the teacher's folder to keep all of it")  # fmt: skip
    merges = [tuple(item.split(" ")) if isinstance(item, str) else tuple(item) for item in model["merges"]]
    return model["vocab"], merges  # type: ignore[return-value]


def _hash(folder: Path) -> str:
    """As in the names that `corpus.tokens` gives."""
    return load_counter(str(tokenizer_file(folder))).name.rpartition("@")[2]


def _count(tokenizer: Any, batch: list[str], counts: np.ndarray) -> None:
    for item in tokenizer.encode_batch_fast(batch, add_special_tokens=False):
        counts += np.bincount(np.asarray(item.ids, dtype=np.int64), minlength=len(counts))


def _alphabet() -> list[str]:
    from tokenizers import pre_tokenizers

    return sorted(pre_tokenizers.ByteLevel.alphabet())


def _special(token: str, number: int) -> dict[str, Any]:
    return {
        "id": number,
        "content": token,
        "single_word": False,
        "lstrip": False,
        "rstrip": False,
        "normalized": False,
        "special": True,
    }


def _token(name: str) -> dict[str, Any]:
    return {"SpecialToken": {"id": name, "type_id": 0}}


def _sequence(name: str) -> dict[str, Any]:
    return {"Sequence": {"id": name, "type_id": 0}}
