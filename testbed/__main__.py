"""`python -m testbed install` and `python -m testbed run -- COMMAND`."""

import argparse
import os
import subprocess
import sys
from collections.abc import Sequence

from testbed.artifacts import artifacts
from testbed.install import install, java_for_spark
from testbed.stack import Stack
from utils.errors import GamelakeError


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what the command line says; return the exit code."""
    parser = argparse.ArgumentParser("testbed", description="Real servers for tests and bench.")
    verbs = parser.add_subparsers(dest="verb", required=True)
    obtain = verbs.add_parser(
        "install", help="obtain MinIO, Nessie, PostgreSQL and Spark's jars where they are missing"
    )
    what = "only the Java that Spark needs"
    obtain.add_argument("what", nargs="?", choices=("all", "java"), default="all", help=what)
    run = verbs.add_parser("run", help="run a command with all servers up and a lake's variables")
    run.add_argument("command", nargs="+", help="for example: -- gamelake check-services")
    asked = parser.parse_args(arguments)
    try:
        return _install(asked.what) if asked.verb == "install" else _run(asked.command)
    except GamelakeError as error:
        print(f"{error.message}\n{error.subject}: {error.hint}", file=sys.stderr)
        return error.exit_code


def _install(what: str) -> int:
    for line in [java_for_spark()] if what == "java" else install(artifacts()):
        print(line)
    return 0


def _run(command: list[str]) -> int:
    with Stack() as stack:
        return subprocess.run(command, env=os.environ | stack.settings(), check=False).returncode  # noqa: S603


if __name__ == "__main__":
    sys.exit(main())
