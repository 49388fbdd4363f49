"""Threads share one CPU and nobody else is bound to it; collections are seldom for a while."""

import gc
import os
import sys
import threading

import pytest

from utils.interpreter import pick_cpu, seldom_collected, stay_on

linux = pytest.mark.skipif(sys.platform != "linux", reason="only Linux binds threads to CPUs")


def seen_by_a_thread(cpu: int) -> set[int]:
    seen: list[set[int]] = []

    def look() -> None:
        stay_on(cpu)
        seen.append(os.sched_getaffinity(0))

    thread = threading.Thread(target=look)
    thread.start()
    thread.join()
    return seen[0]


@linux
def test_only_the_thread_that_asks_is_bound():
    before = os.sched_getaffinity(0)
    cpu = pick_cpu()

    assert seen_by_a_thread(cpu) == {cpu}
    assert cpu in before
    assert os.sched_getaffinity(0) == before


@linux
def test_a_cpu_that_is_not_there_leaves_the_thread_as_it_was():
    assert seen_by_a_thread(1000) == os.sched_getaffinity(0)


@linux
def test_the_choice_is_among_those_that_the_process_may_use():
    before = os.sched_getaffinity(0)
    allowed = {max(before)}
    os.sched_setaffinity(0, allowed)
    try:
        assert {pick_cpu() for _ in range(20)} == allowed
    finally:
        os.sched_setaffinity(0, before)


def test_collections_are_seldom_only_meanwhile():
    before = gc.get_threshold(), gc.get_freeze_count()

    with seldom_collected():
        assert gc.get_threshold()[0] > before[0][0]
        assert gc.get_freeze_count() > before[1]

    assert (gc.get_threshold(), gc.get_freeze_count()) == before
