"""The options of every command, as frozen values; typer reads them, the commands receive them."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from typer import Argument, Option


@dataclass(frozen=True, kw_only=True)
class Common:
    """What every command understands."""

    json: Annotated[bool, Option("--json", help="One JSON object on stdout.")] = False
    quiet: Annotated[bool, Option("--quiet", "-q", help="Only errors and the result.")] = False
    verbose: Annotated[
        int,
        Option("--verbose", "-v", count=True, show_default=False, help="Steps; -vv: requests."),
    ] = 0
    color: Annotated[
        Literal["auto", "always", "never"],
        Option(help="Colour; auto follows NO_COLOR, FORCE_COLOR and the terminal."),
    ] = "auto"
    traceback: Annotated[bool, Option("--traceback", help="Show where an error arose.")] = False

    @property
    def verbosity(self) -> int:
        """-1 quiet, 0 normal, 1 steps, 2 everything."""
        return -1 if self.quiet else min(self.verbose, 2)


@dataclass(frozen=True, kw_only=True)
class Writer(Common):
    """What every command that writes to the lake understands."""

    wait: Annotated[
        float,
        Option(metavar="SECONDS", min=0, help="Wait so long for another writer to end."),
    ] = 0.0


@dataclass(frozen=True, kw_only=True)
class Scope(Writer):
    """What to fetch."""

    source: Annotated[Literal["rawg"], Option(help="Where from.")] = "rawg"
    first: Annotated[
        str | None,
        Option("--from", metavar="YYYY-MM", help="First month of release.", show_default=False),
    ] = None
    last: Annotated[
        str | None,
        Option("--to", metavar="YYYY-MM", help="Last month of release.", show_default=False),
    ] = None
    limit: Annotated[
        int | None, Option(metavar="N", help="Stop after N games.", show_default=False)
    ] = None
    full: Annotated[bool, Option("--full", help="Read everything, not only changes.")] = False
    strategy: Annotated[
        Literal["dates", "browse"],
        Option(help="By date windows, or through the whole browse listing."),
    ] = "dates"


@dataclass(frozen=True, kw_only=True)
class Ingest(Scope):
    """Options of `ingest`."""

    dry_run: Annotated[bool, Option("--dry-run", help="Only show the plan.")] = False


@dataclass(frozen=True, kw_only=True)
class Plan(Scope):
    """Options of `plan`."""


@dataclass(frozen=True, kw_only=True)
class Build(Writer):
    """How to build the star."""

    engine: Annotated[Literal["duckdb", "spark"], Option(help="What computes the tables.")] = (
        "duckdb"
    )


@dataclass(frozen=True, kw_only=True)
class Etl(Build):
    """Options of `etl`."""

    full: Annotated[bool, Option("--full", help="Rebuild from all raw, not only changes.")] = False
    run: Annotated[
        str | None,
        Option(metavar="ID", help="Use raw only up to this ingest run.", show_default=False),
    ] = None


@dataclass(frozen=True, kw_only=True)
class Run(Scope, Build):
    """Options of `run`."""


@dataclass(frozen=True, kw_only=True)
class Sql(Common):
    """Options of `sql`."""

    statement: Annotated[
        str | None, Argument(help="One statement; none: a shell, or what stdin says.")
    ] = None
    file: Annotated[
        Path | None,
        Option("--file", "-f", metavar="FILE", help="Read the statement from a file."),
    ] = None
    at: Annotated[str | None, Option(metavar="RUN_OR_TAG", help="Query an earlier publish.")] = None
    engine: Annotated[
        Literal["duckdb", "dremio"], Option(help="Who answers: this process, or Dremio's server.")
    ] = "duckdb"
    format: Annotated[
        Literal["table", "csv", "json", "parquet"] | None,
        Option(help="Form of the answer; default: what the file's ending says, else table."),
    ] = None
    output: Annotated[
        Path | None, Option("--output", "-o", metavar="FILE", help="Write the answer to a file.")
    ] = None


@dataclass(frozen=True, kw_only=True)
class Runs(Common):
    """Options of `runs`."""

    action: Annotated[Literal["list", "show"], Argument(help="list, or show one run.")] = "list"
    run_id: Annotated[str | None, Argument(metavar="ID", help="The run to show.")] = None
    limit: Annotated[int, Option(metavar="N", min=1, help="How many to list.")] = 20


@dataclass(frozen=True, kw_only=True)
class Rollback(Writer):
    """Options of `rollback`."""

    run_id: Annotated[str, Argument(metavar="RUN", help="The published run to go back to.")]
    yes: Annotated[bool, Option("--yes", "-y", help="Do not ask.")] = False


@dataclass(frozen=True, kw_only=True)
class DremioSetup(Common):
    """Options of `dremio-setup`."""

    dry_run: Annotated[bool, Option("--dry-run", help="Only show what would be done.")] = False
    wait: Annotated[
        float, Option(metavar="SECONDS", min=0, help="Wait so long for Dremio to start.")
    ] = 300.0
    resend_secrets: Annotated[
        bool,
        Option("--resend-secrets", help="Write the sources again: a changed key cannot be seen."),
    ] = False


@dataclass(frozen=True, kw_only=True)
class Simulate(Common):
    """Options of `simulate`."""

    games: Annotated[int, Option(metavar="N", min=0, max=900_000, help="Games to invent.")] = 2_000
    seed: Annotated[int, Option(metavar="S", help="The same seed gives the same games.")] = 1
    port: Annotated[int, Option(metavar="P", min=0, max=65_535, help="0 takes a free one.")] = 8765
    latency: Annotated[float, Option(metavar="MS", min=0, help="Time a page takes.")] = 0.0
    faults: Annotated[Literal["none", "recorded", "storm"], Option(help="What goes wrong.")] = (
        "none"
    )
    quota: Annotated[int, Option(metavar="N", min=0, help="Requests allowed; 0: any.")] = 0
    replay: Annotated[
        Path | None, Option(metavar="DIR", help="Serve recorded pages.", show_default=False)
    ] = None
    key: Annotated[
        str, Option(metavar="KEY", help="Refuse every other key; default: any will do.")
    ] = ""
    depth_limit: Annotated[
        int, Option(metavar="N", min=1, help="Rows a filtered listing gives.")
    ] = 10_000


@dataclass(frozen=True, kw_only=True)
class Demo(Common):
    """Options of `demo`."""

    games: Annotated[int, Option(metavar="N", min=100, help="Games to invent.")] = 2_500
