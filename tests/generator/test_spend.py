"""A cap holds whatever the replies on their way turn out to be."""

from __future__ import annotations

import random

import pytest

from generator.reply import Reply
from generator.request import Request
from generator.spend import Caps, Purse, bound_of, cost_of
from generator.teacher_config import PriceConfig
from tests.fakes.asking import request_of

PRICE = PriceConfig(prompt_per_million=2.0, completion_per_million=10.0)


def longest(request: Request) -> Reply:
    prompt, completion = bound_of(request)
    return Reply(request.key, "", "length", prompt, completion, "m", 0.1, "e")


def spend_all(purse: Purse, most: int, draw: random.Random) -> list[Request]:
    """Send while the purse allows, in windows; replies are as long as they may be or far shorter."""
    sent: list[Request] = []
    while True:
        window = []
        while len(window) < most and purse.affords(request := request_of(len(sent), max_tokens=draw.randint(50, 500))):
            purse.hold(request)
            window.append(request)
            sent.append(request)
        if not window:
            return sent
        for request in window:
            purse.release(request)
            reply = longest(request)
            purse.pay(reply if draw.random() < 0.5 else Reply(request.key, "", "stop", 20, 9, "m", 0.1, "e"))


@pytest.mark.parametrize("seed", range(20))
def test_tokens_and_money_stay_within_their_caps(seed: int) -> None:
    for caps in (Caps(tokens=20_000), Caps(money=0.09), Caps(tokens=30_000, money=0.09)):
        purse = Purse(caps, PRICE)
        assert spend_all(purse, 8, random.Random(seed))
        assert purse.reserved == 0
        assert caps.tokens is None or 0.8 * caps.tokens < purse.spent <= caps.tokens or caps.money
        assert caps.money is None or purse.money <= caps.money


def test_a_prompt_counts_as_its_bytes_until_the_server_has_counted_it() -> None:
    request = request_of(1, max_tokens=100)
    size = len(request.messages[0]["content"].encode())
    assert bound_of(request)[0] >= size
    exact = sum(bound_of(request))
    assert Purse(Caps(tokens=exact)).affords(request)
    assert not Purse(Caps(tokens=exact - 1)).affords(request)


def test_hours_of_a_gpu_cost_money_and_leave_room_for_a_reply_that_takes_its_whole_timeout() -> None:
    price = PriceConfig(gpu_hour=3.6, gpus=2)  # 0.002 a second
    clock = [0.0]
    purse = Purse(Caps(money=1.0), price, lambda: clock[0])
    request = request_of(1, timeout_s=100.0)
    assert purse.affords(request)
    clock[0] = 400.0
    assert purse.money == pytest.approx(0.8)
    assert purse.affords(request)
    clock[0] = 401.0
    assert not purse.affords(request)


def test_money_is_the_sum_of_its_parts() -> None:
    price = PriceConfig(prompt_per_million=1.0, completion_per_million=4.0, gpu_hour=2.0, gpus=3)
    assert cost_of(price, 500_000, 250_000, 1800) == pytest.approx(0.5 + 1.0 + 3.0)
