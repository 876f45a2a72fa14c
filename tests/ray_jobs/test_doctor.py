from __future__ import annotations

import pytest

from ray_jobs.doctor import on_loopback


@pytest.mark.parametrize(
    "ip, alone",
    [("127.0.0.1", True), ("127.0.1.1", True), ("::1", True), ("::ffff:127.0.0.1", True), ("0.0.0.0", False),
     ("::", False), ("10.0.0.7", False), ("::ffff:10.0.0.7", False), ("fe80::1", False)],
)  # fmt: skip
def test_a_socket_on_loopback_is_told_from_one_that_others_reach(ip: str, alone: bool) -> None:
    assert on_loopback(ip) is alone
