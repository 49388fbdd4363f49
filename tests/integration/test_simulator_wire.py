"""What a client sees on the wire, whole and broken, and how the server's process lives and ends."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from simulated import KEY, fetch, pages, running

from simulator.capacity import measure
from simulator.process import SimulatorProcess
from utils.errors import ServiceDown

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def simulator() -> Iterator[SimulatorProcess]:
    with running(games=200, seed=2) as started:
        yield started


def test_next_leads_through_the_listing_on_one_connection(simulator: SimulatorProcess) -> None:
    found = list(pages(simulator, page_size=40, ordering="created"))
    assert [len(page["results"]) for page in found] == [40] * 5
    assert all(page["next"].startswith(simulator.base_url + "/games?") for page in found[:-1])


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("reset", requests.ConnectionError),
        ("reset_mid", requests.exceptions.ChunkedEncodingError),
        ("truncated", requests.exceptions.ChunkedEncodingError),
        ("bad_length", requests.exceptions.JSONDecodeError),
        ("cut_gzip", requests.exceptions.JSONDecodeError),
        ("html", requests.exceptions.JSONDecodeError),
        ("empty_body", requests.exceptions.JSONDecodeError),
        ("hang", requests.Timeout),
    ],
)
def test_broken_wire(
    simulator: SimulatorProcess, kind: str, expected: type[requests.RequestException]
) -> None:
    simulator.control.page_fault("page=3", kind)
    address = f"{simulator.base_url}/games?key={KEY}&page_size=40"
    with requests.Session() as session:
        with pytest.raises(expected):
            session.get(f"{address}&page=3", timeout=1).json()
        assert len(session.get(f"{address}&page=3", timeout=5).json()["results"]) == 40


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_broken_status(simulator: SimulatorProcess, status: int) -> None:
    simulator.control.page_fault("genres", str(status))
    answer = fetch(simulator, "genres")
    assert (answer.status_code, answer.headers["Content-Type"]) == (status, "text/html")
    assert (answer.headers.get("Retry-After") == "1") == (status in (429, 503))
    assert fetch(simulator, "genres").status_code == 200


def test_latency_holds_back_the_answer() -> None:
    with running(games=10, latency_ms=150) as slow:
        start = time.monotonic()
        assert fetch(slow).status_code == 200
        assert time.monotonic() - start > 0.14


def test_the_control_endpoint_works_from_another_process(simulator: SimulatorProcess) -> None:
    control = simulator.control
    new = control.add(name="From Outside")
    assert control.row(new)["name"] == "From Outside"
    assert control.change(new, added=5) > control.row(1)["updated"]
    control.remove([new])
    control.reset_counters()
    fetch(simulator, page=2)
    assert control.counters()["pages"] == {"page=2": 1}
    with pytest.raises(ServiceDown, match="no game"):
        control.row(new)


def test_stopping_takes_open_connections_along() -> None:
    simulator = running(games=10)
    with requests.Session() as session:
        assert session.get(f"{simulator.base_url}/games?key={KEY}", timeout=5).ok
        start = time.monotonic()
        simulator.stop()
        assert time.monotonic() - start < 5
        with pytest.raises(requests.ConnectionError):
            session.get(f"{simulator.base_url}/games?key={KEY}", timeout=5)


@pytest.mark.crash
def test_the_server_does_not_outlive_a_killed_parent() -> None:
    script = (
        "import time\nfrom simulator.server import SimulatorConfig, SimulatorProcess\n"
        "print(SimulatorProcess.start(SimulatorConfig(games=10)).pid, flush=True)\ntime.sleep(60)"
    )
    command = [sys.executable, "-c", script]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as parent:
        assert parent.stdout is not None
        server = int(parent.stdout.readline())
        parent.kill()
    for _ in range(100):
        if not alive(server):
            return
        time.sleep(0.1)
    os.kill(server, signal.SIGKILL)
    pytest.fail("the simulator outlived its parent")


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_the_command_cleanly(number: signal.Signals) -> None:
    command = [sys.executable, "-m", "simulator", "--games", "5", "--port", "0"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT
    ) as server:
        assert server.stdout is not None
        assert server.stdout.readline().endswith("/api\n")
        server.send_signal(number)
        _, errors = server.communicate(timeout=10)
    assert (server.returncode, errors) == (0, "")


def test_a_taken_port_and_an_empty_folder_are_said_in_one_line(tmp_path: Path) -> None:
    with running(games=5) as simulator:
        port = simulator.base_url.rsplit(":", 1)[1].split("/")[0]
        for arguments, said in (
            (["--port", port], "cannot listen"),
            (["--replay", str(tmp_path)], "no recorded page"),
        ):
            command = [sys.executable, "-m", "simulator", "--games", "5", *arguments]
            found = subprocess.run(
                command, capture_output=True, text=True, cwd=ROOT, timeout=30, check=False
            )
            assert found.returncode == 2
            assert said in found.stderr
            assert "Traceback" not in found.stderr


@pytest.mark.parametrize("shape", ["browse", "filtered"])
def test_it_serves_2000_pages_a_second(shape: str) -> None:
    with running(games=5_000) as simulator:
        best = max(
            (measure(simulator, shape, clients=2, seconds=0.7) for _ in range(2)),
            key=lambda found: found.pages_per_s,
        )
    assert best.pages_per_s > 2_000, str(best)
