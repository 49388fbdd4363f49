"""The servers of `testbed` do what the tests of the stack rely on."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import psycopg
import pytest
import requests

from testbed.process import Server, reserve_ports
from testbed.servers import MinioServer, NessieServer, PostgresServer
from testbed.stack import Stack
from utils.errors import ServiceDown

pytestmark = pytest.mark.stack

PARENT = """
import sys, time
from pathlib import Path
from testbed.servers import MinioServer, PostgresServer
from testbed.stack import make_folder
folder = make_folder()
servers = [MinioServer(folder / "minio").start(), PostgresServer(folder / "postgres").start()]
print(folder, *[server.pid for server in servers], flush=True)
time.sleep(600)
"""


def put(minio: MinioServer, bucket: str, name: str) -> None:
    minio.client().put_object(bucket, name, BytesIO(b"x"), 1)


def names(minio: MinioServer, bucket: str) -> list[str | None]:
    return [found.object_name for found in minio.client().list_objects(bucket, recursive=True)]


def branch(nessie: NessieServer, name: str) -> None:
    main = requests.get(f"{nessie.uri}/api/v2/trees/main", timeout=10).json()["reference"]
    answer = requests.post(
        f"{nessie.uri}/api/v2/trees?name={name}&type=BRANCH", json=main, timeout=10
    )
    answer.raise_for_status()


def branches(nessie: NessieServer) -> set[str]:
    found = requests.get(f"{nessie.uri}/api/v2/trees", timeout=10).json()["references"]
    return {reference["name"] for reference in found}


def commit(nessie: NessieServer, name: str, key: str) -> None:
    """Make the namespace `key` on a branch."""
    content = {"type": "NAMESPACE", "elements": [key], "properties": {}}
    operation = {"type": "PUT", "key": {"elements": [key]}, "content": content}
    body = {"commitMeta": {"message": "a test"}, "operations": [operation]}
    head = requests.get(f"{nessie.uri}/api/v2/trees/{name}", timeout=10).json()["reference"]["hash"]
    answer = requests.post(
        f"{nessie.uri}/api/v2/trees/{name}@{head}/history/commit", json=body, timeout=10
    )
    answer.raise_for_status()


def entries(nessie: NessieServer, name: str) -> list[str]:
    found = requests.get(f"{nessie.uri}/api/v2/trees/{name}/entries", timeout=10).json()
    return [entry["name"]["elements"][0] for entry in found["entries"]]


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


@pytest.fixture
def parent() -> Iterator[tuple[int, list[int]]]:
    """A process with two servers of its own: its id and theirs."""
    with subprocess.Popen([sys.executable, "-c", PARENT], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        folder, *pids = process.stdout.readline().decode().split()
        yield process.pid, [int(pid) for pid in pids]
        process.kill()
    subprocess.run(["rm", "-rf", folder], check=True)


def test_minio_killed_comes_back_with_its_objects(minio: MinioServer, bucket: str) -> None:
    put(minio, bucket, "kept")
    address = minio.address
    minio.kill()
    with pytest.raises(requests.ConnectionError):
        requests.get(minio.endpoint, timeout=5)
    minio.start()
    assert (minio.address, names(minio, bucket)) == (address, ["kept"])


def test_nessie_killed_comes_back_with_its_commits(empty_nessie: NessieServer) -> None:
    branch(empty_nessie, "etl-1")
    commit(empty_nessie, "etl-1", "kept")
    uri = empty_nessie.uri
    empty_nessie.kill()
    with pytest.raises(requests.ConnectionError):
        requests.get(uri, timeout=5)
    empty_nessie.start()
    assert (empty_nessie.uri, entries(empty_nessie, "etl-1")) == (uri, ["kept"])


def test_postgres_killed_comes_back_with_its_rows(
    postgres: PostgresServer, database_url: str
) -> None:
    plain = database_url.replace("+psycopg", "")
    with psycopg.connect(plain) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 7 AS found")
        connection.commit()
        postgres.kill()
        with pytest.raises(psycopg.OperationalError):
            connection.execute("SELECT 1")
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(plain)
    postgres.start()
    with psycopg.connect(plain) as connection:
        assert connection.execute("SELECT found FROM kept").fetchone() == (7,)


def test_a_server_that_died_by_itself_is_started_again(stack: Stack) -> None:
    os.kill(stack.minio.pid, signal.SIGKILL)
    os.waitid(os.P_PID, stack.minio.pid, os.WEXITED | os.WNOWAIT)
    stack.minio.start()
    assert stack.minio.is_ready()


def test_servers_end_when_their_process_is_killed(parent: tuple[int, list[int]]) -> None:
    pid, servers = parent
    assert all(map(alive, servers))
    os.kill(pid, signal.SIGKILL)
    deadline = time.monotonic() + 10
    while any(map(alive, servers)) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not any(map(alive, servers))


def test_a_server_outlives_the_thread_that_started_it(minio: MinioServer) -> None:
    thread = threading.Thread(target=minio.restart)
    thread.start()
    thread.join()
    time.sleep(0.2)
    assert minio.is_ready()


def test_a_paused_server_does_not_answer_until_it_is_resumed(stack: Stack) -> None:
    servers: list[Server] = [stack.minio, stack.postgres]
    for server in servers:
        server.pause()
        assert not server.is_ready()
        assert server.start().is_ready()


def test_a_paused_postgres_keeps_its_clients_waiting(
    postgres: PostgresServer, database_url: str
) -> None:
    with psycopg.connect(database_url.replace("+psycopg", ""), autocommit=True) as connection:
        postgres.pause()
        asking = threading.Thread(target=connection.execute, args=("SELECT 1",))
        asking.start()
        asking.join(0.5)
        assert asking.is_alive()
        postgres.resume()
        asking.join(10)
        assert not asking.is_alive()


def test_a_server_that_cannot_start_says_why(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("not a folder")
    server = MinioServer(tmp_path)
    with pytest.raises(ServiceDown, match=r"minio ended while it started(.|\n)*not directories"):
        server.start()


def test_a_fresh_stack_is_empty(stack: Stack) -> None:
    first = stack.start().fresh()
    put(stack.minio, "raw", "a/b")
    put(stack.minio, "warehouse", "c")
    for number in range(150):
        branch(stack.nessie, f"etl-{number}")
    commit(stack.nessie, "main", "games")
    second = stack.fresh()
    assert names(stack.minio, "raw") == names(stack.minio, "warehouse") == []
    assert (branches(stack.nessie), entries(stack.nessie, "main")) == ({"main"}, [])
    with pytest.raises(psycopg.OperationalError, match="does not exist"):
        psycopg.connect(first["DATABASE_URL"].replace("+psycopg", ""))
    psycopg.connect(second["DATABASE_URL"].replace("+psycopg", "")).close()


def test_nessie_reaches_its_warehouse(stack: Stack) -> None:
    stack.start()
    health = requests.get(f"http://127.0.0.1:{stack.nessie.ports[1]}/q/health", timeout=30).json()
    assert health["status"] == "UP"
    assert "Warehouses Object Stores" in json.dumps(health)


def test_a_database_is_copied_from_its_template(
    postgres: PostgresServer, database_url: str
) -> None:
    with psycopg.connect(database_url.replace("+psycopg", "")) as connection:
        connection.execute("CREATE TABLE copied AS SELECT 7 AS found")
    copy = postgres.create_database("copy", template=database_url.rpartition("/")[2])
    with psycopg.connect(copy.replace("+psycopg", "")) as connection:
        assert connection.execute("SELECT found FROM copied").fetchone() == (7,)
    postgres.drop_database("copy")


def test_no_port_is_given_twice() -> None:
    found = [port for _ in range(20) for port in reserve_ports(3)]
    assert len(set(found)) == 60


def test_run_gives_a_command_the_variables_of_a_lake() -> None:
    script = "import json, os; print(json.dumps(dict(os.environ)))"
    done = subprocess.run(
        [sys.executable, "-m", "testbed", "run", "--", sys.executable, "-c", script],
        capture_output=True,
        text=True,
        check=True,
    )
    environ = json.loads(done.stdout.splitlines()[-1])
    assert environ["GAMELAKE_PROFILE"] == "stack"
    assert environ["DATABASE_URL"].startswith("postgresql+psycopg://")
    with pytest.raises(requests.ConnectionError):  # it is stopped with the command
        requests.get(environ["NESSIE_URI"], timeout=5)
