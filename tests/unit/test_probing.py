"""Probes side by side: in time, in order, and nobody is blamed for what another one lacks."""

import socket
import threading
import time

import pytest
import requests

from utils.check_services import http_answer, postgres_answer, without_login
from utils.errors import ServiceDown
from utils.probing import Finding, Known, Probe, ServiceStatus, require_up, run_probes, status_table


def probe(name: str, found: Finding | Exception, **more: tuple[str, ...]) -> Probe:
    def ask(_: Known) -> Finding:
        if isinstance(found, Exception):
            raise found
        return found

    return Probe(name, f"{name}:1", ask, hint=f"start {name}", **more)


def found(*probes: Probe, deadline_s: float = 5) -> dict[str, ServiceStatus]:
    return {one.service: one for one in run_probes(probes, deadline_s=deadline_s)}


def test_what_needs_a_service_that_is_down_is_unknown_and_names_it():
    refused = ConnectionRefusedError(111, "Connection refused")
    answers = found(
        probe("minio", refused),
        probe("bucket", Finding("readable"), needs=("minio",)),
        probe("warehouse", Finding("there"), needs=("bucket", "minio")),
        probe("postgres", Finding("answers")),
    )

    assert answers["minio"].state == "down"
    assert answers["minio"].detail == "no connection (Connection refused)"
    for dependent, need in (("bucket", "minio"), ("warehouse", "bucket")):
        assert answers[dependent].state == "unknown"
        assert answers[dependent].detail == f"needs {need}"
        assert answers[dependent].hint == "start minio"
    assert answers["postgres"].state == "up"
    with pytest.raises(ServiceDown, match="minio: down; bucket, warehouse: unknown") as caught:
        require_up(tuple(answers.values()))
    assert (caught.value.subject, caught.value.hint) == ("minio", "start minio")


def test_what_needs_a_service_that_is_not_configured_is_no_trouble():
    answers = found(
        probe("dremio", Finding("no Dremio here", "unset")),
        probe("sources", Finding("good"), needs=("dremio",)),
    )

    assert answers["sources"].state == "unset"
    require_up(tuple(answers.values()))


def test_a_probe_knows_what_those_before_it_found_up_or_not():
    seen: list[Known] = []

    def look(known: Known) -> Finding:
        seen.append(known)
        return Finding("looked")

    answers = found(
        probe("key", ServiceDown("refused", operation="ask", hint="get a key")),
        Probe("quota", "", look, after=("key", "absent")),
    )

    assert (answers["key"].state, answers["key"].hint) == ("down", "get a key")
    assert answers["quota"].state == "up"
    assert seen == [{"key": answers["key"]}]


def test_a_probe_that_never_ends_is_down_and_its_dependents_are_unknown():
    release = threading.Event()

    def hang(_: Known) -> Finding:
        release.wait()
        return Finding("late")

    started = time.monotonic()
    answers = found(
        Probe("slow", "slow:1", hang, hint="look at its log"),
        probe("inside", Finding("there"), needs=("slow",)),
        probe("fast", Finding("there")),
        deadline_s=0.3,
    )
    assert time.monotonic() - started < 2
    release.set()

    assert answers["slow"].state == "down"
    assert answers["slow"].detail == "no answer within 0.3 s"
    assert answers["inside"].detail == "needs slow"
    assert answers["fast"].state == "up"


def test_a_defect_of_a_probe_is_not_taken_for_a_service_that_is_down():
    with pytest.raises(ZeroDivisionError):
        found(probe("broken", ZeroDivisionError()), probe("fine", Finding("up")))


def test_the_table_says_each_next_step_once():
    answers = found(
        probe("minio", requests.ConnectTimeout()),
        probe("bucket", Finding("there"), needs=("minio",)),
        probe("store", Finding("behind", hint="migrate")),
    )
    text = status_table(tuple(answers.values()))

    assert text.count("next: start minio") == 1
    assert "next: migrate" in text
    assert "no connection within 3 s" in text
    assert [line.split()[:2] for line in text.splitlines() if "next:" not in line] == [
        ["minio", "down"],
        ["bucket", "unknown"],
        ["store", "up"],
    ]


def test_a_socket_that_accepts_and_never_answers_is_given_up():
    with socket.create_server(("127.0.0.1", 0)) as hole:
        port = hole.getsockname()[1]
        started = time.monotonic()
        answers = found(
            Probe("http", "", lambda _: http_answer(f"http://127.0.0.1:{port}/")),
            Probe("postgres", "", lambda _: postgres_answer("127.0.0.1", port)),
        )

    assert time.monotonic() - started < 5
    assert [one.state for one in answers.values()] == ["down", "down"]
    assert answers["http"].detail == "no answer within 3 s"


@pytest.mark.parametrize("said", [b"", b"HTTP/1.1 400 Bad Request\r\n\r\n"])
def test_what_is_no_postgresql_is_not_taken_for_one(said: bytes):
    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer() -> None:
            client, _ = server.accept()
            with client:
                client.recv(8)
                client.sendall(said)

        thread = threading.Thread(target=answer)
        thread.start()
        told = postgres_answer("127.0.0.1", server.getsockname()[1])
        thread.join()

    assert told.state == "down"
    assert "docker compose logs postgres" in told.hint


def test_an_address_is_shown_without_its_login():
    assert without_login("http://user:secret@host:1/api") == "http://host:1/api"
    assert without_login("host:9000") == "host:9000"
