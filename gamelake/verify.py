"""The lake's invariants, checked on what is stored.

Every crash and fault test calls this, so each check reads the stores themselves and trusts no
run's own word.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass
from typing import Any

from etl.iceberg_verify import missing_files, record_mismatches
from gamelake.context import Lake
from gamelake.verify_lineage import versions_are_in_raw
from gamelake.verify_raw import parts_are_whole, rows_are_accounted_for, watermark_is_behind
from gamelake.verify_secrets import secrets_are_absent
from gamelake.verify_star import star_is_consistent
from storage.layout import MAIN
from utils.errors import GamelakeError, is_refusal

_SHOWN = 20
_EVERY = 1_000_000


@dataclass(frozen=True)
class Finding:
    """What one check found; at most 20 problems are kept, `count` is how many there are."""

    name: str
    holds: str
    ok: bool
    count: int
    problems: tuple[str, ...]


@dataclass(frozen=True)
class Verification:
    """What every check found."""

    checks: tuple[Finding, ...]

    @property
    def broken(self) -> list[Finding]:
        """Return the invariants that do not hold."""
        return [finding for finding in self.checks if not finding.ok]

    def as_dict(self) -> dict[str, Any]:
        """Return the `--json` form."""
        return {"ok": not self.broken, **asdict(self)}


@dataclass(frozen=True)
class Invariant:
    """One check: `holds` says what must be true, `problems` yields what is not."""

    name: str
    holds: str
    problems: Callable[[Lake], Iterable[str]]


def _record_matches(lake: Lake) -> Iterator[str]:
    main = lake.catalog.pin(MAIN)
    if main.record is None and (published := _last_published(lake)):
        yield f"run {published} was published, but the catalog holds no publish (lost?)"
    for problem in record_mismatches(main):
        yield f"{problem.subject} {problem.detail}"


def _last_published(lake: Lake) -> str:
    """Return the newest run that the operational store says was published, or ""."""
    with lake.database.reading() as unit:
        runs = unit.runs.list(_EVERY, kind="etl")
    return next((run.run_id for run in runs if run.summary.get("published")), "")


def _files_exist(lake: Lake) -> Iterator[str]:
    for problem in missing_files(lake.catalog):
        yield f"{problem.subject}: {problem.detail}"


INVARIANTS = (
    Invariant("record", "every table's pointer equals the last publish record", _record_matches),
    Invariant("files", "every file that a branch or tag needs is there, whole", _files_exist),
    Invariant("star", "business keys are unique and every key joins", star_is_consistent),
    Invariant("parts", "every raw part is whole: checksum, rows, manifest", parts_are_whole),
    Invariant(
        "rows", "rows seen = stored + unchanged + quarantined, page by page", rows_are_accounted_for
    ),
    Invariant("lineage", "every published version is in raw", versions_are_in_raw),
    Invariant("watermark", "the watermark is not past what is durable", watermark_is_behind),
    Invariant("secrets", "no secret stands in any file of the lake", secrets_are_absent),
)


def verify(lake: Lake) -> Verification:
    """Run every check; what cannot be read is a problem too.

    Raises what the surroundings say when they refuse (no right, no space, a server that is down):
    the lake may be sound.
    """
    return Verification(tuple(_finding(one, _problems(one, lake)) for one in INVARIANTS))


def _problems(invariant: Invariant, lake: Lake) -> list[str]:
    try:
        return list(invariant.problems(lake))
    except (GamelakeError, OSError, ValueError) as error:  # pyarrow's errors are ValueErrors
        if is_refusal(error):
            raise
        return [f"it cannot be checked: {error}"]


def _finding(invariant: Invariant, problems: list[str]) -> Finding:
    return Finding(
        name=invariant.name,
        holds=invariant.holds,
        ok=not problems,
        count=len(problems),
        problems=tuple(problems[:_SHOWN]),
    )
