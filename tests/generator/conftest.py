"""Shared with all tests of this folder: one real vLLM server, started by the first test that asks for it."""

from tests.fakes.real_teacher import real_teacher

__all__ = ["real_teacher"]
