"""One writer: the lease, its epochs, and what happens to those who lost it."""

import logging
import os
import re
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import crash
import pytest
from clocks import FakeClock
from database_fixtures import NewUrl
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    rule,
    run_state_machine_as_test,
)
from storage_scenarios import small_ingest

from storage.database.processes import Process, is_gone, this_process
from storage.database.repositories.leases import Lease, LeaseRepository
from storage.database.session import Database
from storage.database.writer import hold_writer
from utils.errors import Locked, ServiceDown
from utils.seams import Fault

linux = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs Linux's /proc")


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def database(store_url: str, clock: FakeClock) -> Iterator[Database]:
    with Database.open(store_url, clock=clock) as database:
        yield database


def acquire(database: Database, owner: str, ttl_s: float = 60) -> Lease:
    with database.unit_of_work() as unit:
        return unit.leases.acquire("writer", owner, database.clock.now(), ttl_s)


def test_the_second_writer_is_told_who_the_first_is(database: Database) -> None:
    acquire(database, "ingest")
    with pytest.raises(Locked, match=rf"ingest \(process {os.getpid()} on .*\) is writing"):
        acquire(database, "etl")


def test_a_lease_counts_on_from_what_the_catalog_remembers(database: Database) -> None:
    with hold_writer(database, above=7) as first:
        assert first.epoch == 8
        with database.unit_of_work(first) as unit:  # as the heartbeat does, and each step
            assert unit.leases.renew(first, database.clock.now(), 60).epoch == 8
    with hold_writer(database, above=3) as second:
        assert second.epoch == 9
    with pytest.raises(Locked), database.unit_of_work(first):
        pass


def test_a_zombie_cannot_commit_after_a_new_epoch(database: Database, clock: FakeClock) -> None:
    zombie = acquire(database, "old")
    clock.advance(60)  # the last moment is no longer its own
    fresh = acquire(database, "new")
    assert fresh.epoch == zombie.epoch + 1
    with pytest.raises(Locked, match="old lost its lease"), database.unit_of_work(zombie) as unit:
        unit.state.set("key", "stale")
    with database.unit_of_work(fresh) as unit:
        assert unit.state.get("key") is None
        unit.state.set("key", "fresh")


def test_a_released_lease_fences_too_and_its_epoch_is_never_given_again(
    database: Database,
) -> None:
    first = acquire(database, "one")
    with database.unit_of_work() as unit:
        unit.leases.release(first)
        assert unit.leases.current("writer") is None
    with pytest.raises(Locked), database.unit_of_work(first) as unit:
        unit.state.set("key", "late")
    assert acquire(database, "two").epoch == first.epoch + 1


def test_a_holder_on_another_machine_is_out_of_sight_and_keeps_its_time(
    database: Database, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as there:
        there.setattr(socket, "gethostname", lambda: "elsewhere")
        there.setattr(os, "getpid", lambda: 2**22 + 1)  # no such process here
        acquire(database, "far", ttl_s=60)
    clock.advance(59)
    with pytest.raises(Locked, match=r"far .* on elsewhere"):
        acquire(database, "near")
    clock.advance(1)
    assert acquire(database, "near").epoch == 2


def test_what_ended_a_run_is_what_the_user_hears_of(
    database: Database, clock: FakeClock, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)  # in the log file, not on the terminal

    def fail_to_release(*_: object) -> None:
        raise ServiceDown("the store is gone", operation="release")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(LeaseRepository, "release", fail_to_release)
        with pytest.raises(ZeroDivisionError), hold_writer(database):
            _ = 1 // 0
        assert "the lease was not released" in caplog.text
        clock.advance(61)
        with hold_writer(database):
            pass  # it ended well, and stays so


class Leases(RuleBasedStateMachine):
    """Random holders against a model: the last epoch, and until when it holds."""

    def __init__(self, url: str) -> None:
        super().__init__()
        self.clock = FakeClock()
        self.database = Database.open(url, clock=self.clock)
        self.given: list[Lease] = []
        self.until: float | None = None  # None: free
        self.committed = 0

    def teardown(self) -> None:
        self.database.close()

    @rule(seconds=st.integers(0, 40))
    def wait(self, seconds: int) -> None:
        self.clock.advance(seconds)

    @rule(ttl_s=st.integers(1, 60))
    def acquire(self, ttl_s: int) -> None:
        free = self.until is None or self.until <= self.clock.monotonic()
        try:
            lease = acquire(self.database, f"owner-{len(self.given)}", ttl_s)
        except Locked:
            assert not free
            return
        assert free
        assert lease.epoch == len(self.given) + 1
        self.given.append(lease)
        self.until = self.clock.monotonic() + ttl_s

    @rule(which=st.integers(0, 99), ttl_s=st.integers(1, 60))
    def renew(self, which: int, ttl_s: int) -> None:
        if not self.given:
            return
        lease = self.given[which % len(self.given)]
        try:
            with self.database.unit_of_work() as unit:
                unit.leases.renew(lease, self.clock.now(), ttl_s)
        except Locked:
            assert not self._is_current(lease)
            return
        assert self._is_current(lease)
        self.until = self.clock.monotonic() + ttl_s

    @rule(which=st.integers(0, 99))
    def release(self, which: int) -> None:
        if self.given:
            lease = self.given[which % len(self.given)]
            with self.database.unit_of_work() as unit:
                unit.leases.release(lease)
            self.until = None if self._is_current(lease) else self.until

    @rule(which=st.integers(0, 99))
    def commit(self, which: int) -> None:
        if not self.given:
            return
        lease = self.given[which % len(self.given)]
        try:
            with self.database.unit_of_work(lease) as unit:
                unit.state.set("committed", str(self.committed + 1))
        except Locked:
            assert not self._is_current(lease)
            return
        assert self._is_current(lease)
        self.committed += 1

    @invariant()
    def only_current_holders_changed_the_store(self) -> None:
        with self.database.reading() as unit:
            assert int(unit.state.get("committed") or 0) == self.committed

    def _is_current(self, lease: Lease) -> bool:
        # Being late is not being replaced: until another takes over, the holder may go on.
        return self.until is not None and lease.epoch == len(self.given)


def test_leases_keep_to_the_model(empty_url: NewUrl, examples: int) -> None:
    run_state_machine_as_test(
        lambda: Leases(empty_url()),
        settings=settings(max_examples=examples, stateful_step_count=25, deadline=None),
    )


@linux
@pytest.mark.parametrize(
    ("changes", "gone"),
    [
        ({}, False),
        ({"host": "elsewhere", "pid": 2**22 + 1}, False),  # out of sight: only time can tell
        ({"pid": 2**22 + 1}, True),  # above the largest pid Linux gives
        ({"start": "1"}, True),  # our pid, but it was another process then
        ({"boot": "before the restart"}, True),
        ({"boot": "before", "machine": "of the same name"}, False),
        ({"boot": "before", "machine": ""}, False),  # who knows which machine it was
        ({"namespace": "another container", "pid": 2**22 + 1}, False),
    ],
)
def test_who_is_gone(changes: dict[str, object], gone: bool) -> None:
    me = this_process()
    names = ("machine", "boot", "namespace", "start")
    identity = dict(zip(names, re.split("[:/]", me.identity), strict=True))
    fields = {"host": me.host, "pid": me.pid, **identity, **changes}
    told = Process(
        fields["host"], fields["pid"], "{machine}:{boot}/{namespace}/{start}".format(**fields)
    )
    assert is_gone(told) == gone


@linux
def test_a_zombie_process_is_gone() -> None:
    child = os.fork()
    if child == 0:
        os._exit(0)
    try:
        me = this_process()
        deadline = time.monotonic() + 10
        boot, namespace, _ = me.identity.split("/")
        while not is_gone(Process(me.host, child, f"{boot}/{namespace}/{_started(child)}")):
            assert time.monotonic() < deadline, "a process that nobody reaped holds its lease"
    finally:
        os.waitpid(child, 0)


def _started(pid: int) -> str:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]


@pytest.mark.crash
def test_a_dead_process_frees_its_lease_at_once(tmp_path: Path, store_url: str) -> None:
    with Database.open(store_url) as database:
        at_first_part = Fault("kill", "before", "store.put", 1)
        died = crash.run(small_ingest, tmp_path, store_url, fault=at_first_part)
        assert died.killed
        with database.reading() as unit:
            assert unit.leases.holder("writer", database.clock.now()) is None
        with hold_writer(database) as lease, database.reading() as unit:
            assert lease.epoch == 2
            assert unit.leases.holder("writer", database.clock.now()) == lease


def test_hold_writer_releases_at_the_end_and_after_an_error(database: Database) -> None:
    with hold_writer(database, owner="one") as lease, database.reading() as unit:
        assert unit.leases.current("writer") == lease
    with pytest.raises(ZeroDivisionError), hold_writer(database):
        _ = 1 // 0
    with hold_writer(database) as third:
        assert third.epoch == 3
    assert [thread.name for thread in threading.enumerate() if thread.name == "lease"] == []


def test_hold_writer_fails_at_once_unless_told_to_wait(
    database: Database, clock: FakeClock
) -> None:
    acquire(database, "other", ttl_s=5)
    with pytest.raises(Locked, match="other") as at_once, hold_writer(database):
        pytest.fail("the lease was held twice")
    assert "add --wait" in at_once.value.hint
    assert clock.slept == []
    with pytest.raises(Locked, match="other") as waited, hold_writer(database, wait_s=3):
        pytest.fail("the lease was held twice")
    assert waited.value.hint == "--wait 3 was too short; give it more seconds"
    assert 3 <= sum(clock.slept) < 4
    with hold_writer(database, wait_s=60) as lease:
        assert lease.epoch == 2
    assert clock.monotonic() < 7


def test_the_heartbeat_keeps_a_short_lease(store_url: str) -> None:
    with (
        Database.open(store_url) as database,
        hold_writer(database, ttl_s=0.6) as lease,
    ):
        time.sleep(1.5)
        with database.unit_of_work() as unit:
            renewed = unit.leases.current("writer")
    assert renewed is not None
    assert renewed.epoch == lease.epoch
    assert renewed.expires_at > lease.expires_at
