"""Sentence skeletons: what stays of a sentence when its content words are masked. Texts from one mould share them.

"Photosynthesis is the process by which plants make food" and "Inflation is the process by which prices rise over time"
both leave "_ is the _ by which _". A short skeleton is the grammar's, not the writer's, so only those count that hold
several function words.
"""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from generator.length import IDEOGRAPHS

WORD = rf"[{IDEOGRAPHS}]|[\w--[{IDEOGRAPHS}]]+(?:['’][\w--[{IDEOGRAPHS}]]+)?"  # in the syntax of Rust
SENTENCE = r"[^.!?。！？\n]+"
MASK = "_"
LEAST_WORDS, LEAST_MARKS = 4, 8  # function words, and words with masks, that make a skeleton telling
MOST_MARKS = 24  # words looked at: two long sentences that begin alike are one mould
FUNCTION_WORDS = frozenset(
    """a an the this that these those each every some any no all both and or but nor so if then than as while because
    although when where which who whom whose what how why of in on at by for with from to into onto over under between
    through about against after before during without within is are was were be been being am do does did has have had
    having can could will would shall should may might must not it its he she they them his her their we us our you your
    i me my there here also only just very more most such own other another same one two first next let's lets
    的 了 是 在 和 与 或 也 都 就 而 但 如 果 因 为 所 以 这 那 个 之 其 从 到 对 把 被 让 我 你 他 她 它 们 有 没 不 会 能 可
    要 将 于 由 中 上 下 里 着 过 得 地 吗 呢 吧 什 么 怎 样 多 少 一""".split()  # noqa: SIM905 - two hundred quoted words read worse
)


def skeletons(texts: Sequence[str]) -> list[list[str]]:
    """For each text the telling skeletons of its sentences, each once, in no order that matters."""
    rows = _masked(texts)
    found = (
        rows.filter((pl.col("known") >= LEAST_WORDS) & (pl.col("mark").list.len() >= LEAST_MARKS))
        .select("text", pl.col("mark").list.join(" ").alias("skeleton"))
        .unique(maintain_order=True)
        .group_by("text", maintain_order=True)
        .agg("skeleton")
    )
    by_text = dict(found.iter_rows())
    return [by_text.get(place, []) for place in range(len(texts))]


def _masked(texts: Sequence[str]) -> pl.DataFrame:
    """One row a sentence: its text's place, the words kept or masked (a run of masks as one), and how many were kept."""
    sentences = (
        pl.DataFrame({"sentence": pl.Series(texts, dtype=pl.String).str.to_lowercase().str.extract_all(SENTENCE)})
        .with_row_index("text")
        .explode("sentence")
        .drop_nulls()
        .with_row_index("number")
    )
    words = (
        sentences.with_columns(pl.col("sentence").str.extract_all(WORD).list.head(MOST_MARKS).alias("mark"))
        .select("text", "number", "mark")
        .explode("mark")
        .drop_nulls()
        .with_columns(pl.col("mark").is_in(list(FUNCTION_WORDS)).alias("known"))
        .with_columns(pl.when("known").then("mark").otherwise(pl.lit(MASK)).alias("mark"))
    )
    again = (
        (pl.col("mark") == MASK) & (pl.col("mark").shift(1) == MASK) & (pl.col("number") == pl.col("number").shift(1))
    )
    return (
        words.filter(~again.fill_null(False))
        .group_by("text", "number", maintain_order=True)
        .agg("mark", pl.col("known").sum())
    )
