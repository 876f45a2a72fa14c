"""A byte-level BPE tokenizer trained on the mix, in the layout that transformers and vLLM load.

Byte-level: every text can be encoded and comes back unchanged. `<|endoftext|>` stands before each document, so it is
the beginning and the end token in one; the saved tokenizer puts it in front of a prompt by itself.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from corpus.errors import RecipeError, StateError

if TYPE_CHECKING:
    from tokenizers import Tokenizer

EOS = "<|endoftext|>"
PAD = "<|pad|>"
TOKENIZER = "tokenizer.json"
TOKENIZER_CONFIG = "tokenizer_config.json"

# GPT-4's pre-tokenisation (tiktoken, cl100k_base) with digits in pairs, which small vocabularies can afford.
PATTERN = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,2}"
    r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)


def train_tokenizer(texts: Iterable[str], vocab_size: int, out: Path) -> Path:
    """Train on `texts` and write the tokenizer's files into the folder `out`; gives back its `tokenizer.json`.

    The same texts give the same file. Fewer than `vocab_size` tokens come out when the texts are too few to earn them.
    """
    from tokenizers import decoders, models, pre_tokenizers, trainers

    tokenizer = _blank(models.BPE(), pre_tokenizers, decoders)
    trainer = trainers.BpeTrainer(
        vocab_size=vocab_size,
        special_tokens=[EOS, PAD],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        min_frequency=2,
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    if tokenizer.get_vocab_size() > vocab_size:
        raise RecipeError(f"student.vocab_size {vocab_size} is below the 256 bytes and two special tokens")
    _prefix_documents(tokenizer)
    return _save(tokenizer, out)


def load_tokenizer(path: Path) -> Tokenizer:
    """Open a `tokenizer.json`, or the folder that holds one, with special tokens in a text read as plain characters.

    Without that, a page that spells out `<|endoftext|>` would end the document it stands in.
    """
    from tokenizers import Tokenizer

    file = tokenizer_file(path)
    try:
        tokenizer = Tokenizer.from_file(str(file))
    except Exception as error:  # the Rust side raises plain Exception for whatever is wrong with the file
        raise StateError(f"{file}: not a tokenizer: {error}", hint="train the tokenizer again") from error
    tokenizer.encode_special_tokens = True
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return tokenizer


def tokenizer_file(path: Path) -> Path:
    """The `tokenizer.json` that `path` is or holds. Raises `StateError` when there is none."""
    file = path / TOKENIZER if path.is_dir() else path
    if not file.is_file():
        raise StateError(f"{file}: no tokenizer here", hint="train the tokenizer again")
    return file


def tokenizer_hash(path: Path) -> str:
    """32 hex digits over the bytes of the `tokenizer.json`."""
    return hashlib.blake2b(tokenizer_file(path).read_bytes(), digest_size=16).hexdigest()


def start_token(tokenizer: Tokenizer, path: Path) -> int:
    """Id of the token that a document starts after: this project's EOS, else what the folder's configuration names."""
    known = tokenizer.token_to_id(EOS)
    if known is not None:
        return known
    config = tokenizer_file(path).parent / TOKENIZER_CONFIG
    named = json.loads(config.read_text("utf-8")) if config.is_file() else {}
    for key in ("bos_token", "eos_token"):
        value = named.get(key)
        token = value.get("content") if isinstance(value, dict) else value
        if token and (found := tokenizer.token_to_id(token)) is not None:
            return found
    raise StateError(f"{config}: names no beginning or end token that the tokenizer knows")


def _blank(model: Any, pre_tokenizers: Any, decoders: Any) -> Tokenizer:
    from tokenizers import Regex, Tokenizer

    tokenizer = Tokenizer(model)
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(PATTERN), behavior="isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    return tokenizer


def _prefix_documents(tokenizer: Tokenizer) -> None:
    from tokenizers import processors

    eos = tokenizer.token_to_id(EOS)
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{EOS} $A", pair=f"{EOS} $A {EOS} $B", special_tokens=[(EOS, eos)]
    )


def _save(tokenizer: Tokenizer, out: Path) -> Path:
    out.mkdir(parents=True, exist_ok=True)
    config = {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "bos_token": EOS,
        "eos_token": EOS,
        "pad_token": PAD,
        "clean_up_tokenization_spaces": False,
        "add_prefix_space": False,
    }
    (out / TOKENIZER_CONFIG).write_text(json.dumps(config, indent=2) + "\n", "utf-8")
    staged = out / f".{TOKENIZER}.part"
    tokenizer.save(str(staged))
    staged.replace(out / TOKENIZER)
    return out / TOKENIZER
