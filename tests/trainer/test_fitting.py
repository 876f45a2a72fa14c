"""Windows fitted with documents: every token is a target exactly once an epoch, whole documents stay whole."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from trainer.config import StudentConfig
from trainer.fitting import Documents, fit
from trainer.packing import TokenShards
from trainer.schedule import rate
from trainer.step import plan_of


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(1, 90), min_size=1, max_size=60), st.integers(8, 40))
def test_no_token_is_left_out_and_none_is_a_target_twice(lengths: list[int], context: int) -> None:
    offsets = np.concatenate([[1], 1 + np.cumsum(np.asarray(lengths) + 1)])
    plan = Documents(offsets, context)
    epoch = plan.places(3, 0, plan.windows)
    targets = epoch.targets[epoch.targets >= 0]
    assert sorted(targets.tolist()) == list(range(1, int(offsets[-1])))
    assert ((epoch.targets == epoch.inputs + 1) | (epoch.inputs < 0)).all()


def test_a_document_that_fits_is_not_split(shards: TokenShards) -> None:
    lengths = np.diff(np.asarray(shards.offsets))
    plan = Documents(shards.offsets, int(lengths.max()))
    epoch = plan.places(0, 0, plan.windows)
    for start, length in zip(np.asarray(shards.offsets[:-1]) - 1, lengths, strict=True):
        rows, columns = np.nonzero((epoch.inputs >= start) & (epoch.inputs < start + length))
        assert len(set(rows)) == 1
        assert (np.diff(columns) == 1).all()


def test_pieces_that_complement_each_other_share_a_window() -> None:
    assert sorted(map(sorted, fit(np.array([6, 5, 5, 4]), 10))) == [[0, 3], [1, 2]]


def test_windows_hold_whole_documents_only_where_asked(config: StudentConfig, shards: TokenShards) -> None:
    assert not isinstance(plan_of(config, shards), Documents)
    fitted = config.model_copy(update={"packing": "documents"})
    assert fitted.masked
    assert isinstance(plan_of(fitted, shards), Documents)


def test_a_cosine_falls_all_the_way_and_never_to_nothing(config: StudentConfig) -> None:
    shape = config.schedule.model_copy(update={"kind": "cosine", "warmup": 0.1})
    rates = [rate(step, 100, shape) for step in range(100)]
    assert rates[:10] == sorted(rates[:10])
    assert rates[10:] == sorted(rates[10:], reverse=True)
    assert 0.45 < rates[54] < 0.55
    assert 0 < rates[-1] < 0.01


def test_a_mix_that_has_an_order_is_read_in_it(config: StudentConfig, shards: TokenShards) -> None:
    for packing in ("stream", "documents"):
        plan = plan_of(config.model_copy(update={"packing": packing, "order": "given"}), shards)
        firsts = [int(plan.places(0, step, 1).inputs[0, 0]) for step in range(5)]
        assert firsts == sorted(firsts), packing
        shuffled = plan_of(config.model_copy(update={"packing": packing}), shards)
        assert firsts != [int(shuffled.places(0, step, 1).inputs[0, 0]) for step in range(5)]
