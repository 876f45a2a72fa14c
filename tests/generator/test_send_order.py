"""The order of sending: alike beginnings together, the same after a restart, nothing lost and nothing twice."""

from __future__ import annotations

import itertools
import random

from hypothesis import given
from hypothesis import strategies as st

from generator.request import Request
from generator.send_order import STRANDS, send_order
from tests.fakes.asking import request_of


def grouped(group: int, number: int) -> Request:
    request = request_of(number)
    text = f"You write for group {group}. " * 40 + f"Subject {number}."
    object.__setattr__(request, "messages", ({"role": "user", "content": text},))
    return request


def group_of(request: Request) -> str:
    return request.messages[0]["content"][:30]


def test_prompts_that_begin_alike_follow_each_other_in_few_strands():
    requests = [grouped(number % 32, number) for number in range(640)]
    random.Random(1).shuffle(requests)
    order = send_order(requests, lambda item: item)
    near = [len({group_of(item) for item in order[start : start + 40]}) for start in range(0, 640, 40)]
    assert max(near) <= 2 * STRANDS, "32 groups would be at work at once where the plan's order is kept"
    changes = sum(group_of(a) != group_of(b) for a, b in itertools.pairwise(order[::STRANDS]))
    assert changes <= 32 // STRANDS


@given(st.lists(st.integers(0, 40), max_size=60), st.randoms())
def test_the_order_is_a_pure_function_of_the_requests_and_loses_none(numbers, draw):
    requests = [grouped(number % 7, number) for number in set(numbers)]
    order = send_order(requests, lambda item: item)
    assert sorted(item.key for item in order) == sorted(item.key for item in requests)
    draw.shuffle(requests)
    assert send_order(requests, lambda item: item) == order
