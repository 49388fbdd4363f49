"""Fetching threads share one CPU, and nobody else is bound to it."""

import os
import sys
import threading

import pytest

from utils.one_cpu import pick_cpu, stay_on

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux binds threads to CPUs")


def seen_by_a_thread(cpu: int) -> set[int]:
    seen: list[set[int]] = []

    def look() -> None:
        stay_on(cpu)
        seen.append(os.sched_getaffinity(0))

    thread = threading.Thread(target=look)
    thread.start()
    thread.join()
    return seen[0]


def test_only_the_thread_that_asks_is_bound():
    before = os.sched_getaffinity(0)
    cpu = pick_cpu()

    assert seen_by_a_thread(cpu) == {cpu}
    assert cpu in before
    assert os.sched_getaffinity(0) == before


def test_a_cpu_that_is_not_there_leaves_the_thread_as_it_was():
    assert seen_by_a_thread(1000) == os.sched_getaffinity(0)


def test_the_choice_is_among_those_that_the_process_may_use():
    before = os.sched_getaffinity(0)
    allowed = {max(before)}
    os.sched_setaffinity(0, allowed)
    try:
        assert {pick_cpu() for _ in range(20)} == allowed
    finally:
        os.sched_setaffinity(0, before)
