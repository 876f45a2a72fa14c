"""`python -m bench.proofs [--data DIR] [--only NAME …] [--page FILE]`: what is missing is run, the rest is read.

Each proof keeps its students' records, and in the end its finding, under `--out`. A stopped command goes on where it was.
The page shows every proof, those that failed and those that could not be run too. With data, findings are also recorded in
`bench/proofs/findings/`: a proof that was not run again is shown as it was recorded.
"""

from __future__ import annotations

import argparse
import importlib
import os
import pkgutil
import sys
import time
from pathlib import Path

import orjson

import bench.proofs
from bench.proofs.frame import Lab, Proof, budget_of
from bench.proofs.material import Material
from bench.proofs.page import RECORDED, results_page
from corpus.ids import digest
from trainer.files import write_whole

ROOT = Path(__file__).parents[2]


def main() -> None:
    """All proofs that the text can carry, and the page. Exit code 1 where one is not reached."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path)
    parser.add_argument("--out", type=Path, default=ROOT / "bench" / "out" / "proofs")
    parser.add_argument("--only", nargs="*", default=[])
    parser.add_argument("--workers", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--page", type=Path, default=ROOT / "docs" / "results.md")
    parser.add_argument("--page-only", action="store_true", help="write the page from the findings that are there")
    options = parser.parse_args()
    os.environ["OMP_NUM_THREADS"] = "1"
    material, home = Material(options.data), options.out / ("data" if options.data else "machine")
    proofs = [proof for proof in proofs_found() if not options.only or proof.name in options.only]
    for proof in [] if options.page_only else proofs:
        _prove(proof, material, home, options.workers)
    options.page.write_text(results_page(proofs_found(), home, has_data=options.data is not None), "utf-8")
    print(f"wrote {options.page}", file=sys.stderr)
    sys.exit(any((_finding(home, proof) or {}).get("reached") is False for proof in proofs))


def proofs_found() -> list[Proof]:
    """One a file, in the order of the files' names."""
    modules = (
        importlib.import_module(f"bench.proofs.{item.name}")
        for item in pkgutil.iter_modules(bench.proofs.__path__)
        if item.name.startswith("t")
    )
    return sorted((module.PROOF for module in modules), key=lambda proof: proof.name)


def _prove(proof: Proof, material: Material, home: Path, workers: int) -> None:
    if not (material.has(*proof.needs) if material.data else proof.on_machine):
        print(f"{proof.name}: not run, its text is not here", file=sys.stderr)
        return
    budget = budget_of(proof.name)
    identity = digest("proof", proof.name, budget.model_dump(mode="json"))
    if (found := _finding(home, proof)) is not None and found["identity"] == identity:
        print(f"{proof.name}: done", file=sys.stderr)
        return
    lab = Lab(
        proof.name,
        home / proof.name,
        material,
        budget,
        workers,
        lambda line: print(f"{proof.name}: {line}", file=sys.stderr, flush=True),
    )
    finding = proof.prove(lab)
    body = {
        "identity": identity, "seconds": round(time.monotonic() - lab.begun, 1), "students": len(lab.records),
        "training_seconds": round(sum(record["seconds"] for record in lab.records), 1),
        **finding.told(),
    }  # fmt: skip
    told = orjson.dumps(body, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)
    write_whole(home / proof.name / "finding.json", told)
    if material.data:
        write_whole(RECORDED / f"{proof.name}.json", told)
    print(
        f"{proof.name}: {'reached' if finding.reached else 'NOT reached'}: {'; '.join(finding.figures)}",
        file=sys.stderr,
    )


def _finding(home: Path, proof: Proof) -> dict | None:
    path = home / proof.name / "finding.json"
    return orjson.loads(path.read_bytes()) if path.is_file() else None


if __name__ == "__main__":
    main()
