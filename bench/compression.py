"""Every way to make a student smaller, measured: `python -m bench.compression --data FILES --out FOLDER`.

One student is trained; each route is applied at several amounts and scored on held-out text; pruned, factorised and shared
ones are healed by a tenth more training, each under its own constraint, with the curve of it. Prints JSON, a row a route: bytes, their ratio to the bfloat16 file, bits per byte, the change of
the loss in percent, tokens scored in a CPU second by transformers here, and what vLLM serves. Work is kept in FOLDER.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from bench.student_arms import texts_of
from trainer.compression.heal import GENTLE, HEALED
from trainer.compression.routes import compress, measure
from trainer.config import StudentConfig
from trainer.packing import TokenShards, pack
from trainer.tokenizer import train_tokenizer
from trainer.train import train

PLAN = [("bf16", 1.0), ("int8", 1.0), ("int8-all", 1.0), ("int4", 1.0), ("gguf-q8", 1.0), ("gguf-q4", 1.0),
        *((route, amount) for route in ("prune-layers", "prune-ff", "prune-heads", "low-rank") for amount in (0.75, 0.5, 0.25)),
        ("share-layers", 2.0), ("share-layers", 4.0)]  # fmt: skip


def main() -> None:
    """Run and print."""
    options = argparse.ArgumentParser()
    options.add_argument("--data", nargs="*", default=[])
    options.add_argument("--out", type=Path, required=True)
    options.add_argument("--tokens", type=int, default=500_000)
    chosen = options.parse_args()
    texts, held = texts_of(chosen.data, 3.0)
    held = held[:60]
    tokenizer = chosen.out / "tokenizer"
    if not (tokenizer / "tokenizer.json").is_file():
        train_tokenizer(texts, 4096, tokenizer)
    shards = pack(texts, tokenizer, chosen.out / "packed")
    config = StudentConfig(tokens=chosen.tokens, compile="off", track=())
    model = train(config, shards.folder, tokenizer, chosen.out / "student").model
    rows: list[dict[str, Any]] = []
    for route, amount in PLAN:
        row = _row(model, route, amount, texts, held, chosen.out / f"{route}-{amount}")
        if route.startswith(HEALED):
            row |= _healed(Path(row["folder"]), shards, held, config)
        rows.append(row)
        print({key: value for key, value in row.items() if key != "folder"}, file=sys.stderr)
    base = rows[0]
    for row in rows:
        row.pop("folder")
        row["of_the_bf16_file"] = round(row["bytes"] / base["bytes"], 3)
        row["loss_change_percent"] = _percent(row["bits_per_byte"], base)
        if "healed_bits_per_byte" in row:
            row["healed_loss_change_percent"] = _percent(row["healed_bits_per_byte"], base)
    print(json.dumps(rows, indent=2))


def _row(model: Path, route: str, amount: float, texts: list[str], held: list[str], out: Path) -> dict[str, Any]:
    file = out / "row.json"
    if not file.is_file():
        found = compress(model, route, out, amount=amount, texts=texts[:40])
        row = {
            "route": route,
            "amount": amount,
            "folder": str(out),
            "bytes": found.bytes,
            "vllm": found.served,
            **measure(out, held),
        }
        file.write_text(json.dumps(row))
    row = json.loads(file.read_text())
    return row | {"folder": str(out)}


def _percent(bits: float, base: dict[str, Any]) -> float:
    return round(100 * (bits / base["bits_per_byte"] - 1), 2)


def _healed(folder: Path, shards: TokenShards, held: list[str], config: StudentConfig) -> dict[str, Any]:
    """Bits per byte afterwards, bytes as stored, and the training loss on the way."""
    out = folder.with_name(f"{folder.name}-healed")
    more = config.model_copy(
        update={"tokens": config.tokens // 10, "init": str(folder), "seed": 1, "optimizer": GENTLE}
    )
    file = out / "healed.json"
    if not file.is_file():
        result = train(more, shards.folder, folder, out)
        curve = [[int(tokens), round(nats, 3)] for tokens, nats in result.curve]
        file.write_text(
            json.dumps({"healed_bits_per_byte": measure(result.model, held)["bits_per_byte"], "healing": curve})
        )
    return json.loads(file.read_text())  # type: ignore[no-any-return]


if __name__ == "__main__":
    main()
