"""The one error tree.

GamelakeError
├── UsageError            2  wrong command line or configuration
├── SourceError           3  the source refused us or cannot be reached
├── QuotaSpent            4  the request budget is used up; resume later
├── ChecksFailed          5  a check failed, nothing was published
├── Locked                6  another writer holds the lake
├── Conflict              6  main moved while we were building
├── ServiceDown           7  a service does not answer, or the storage refused (no space, no right)
│   └── Damaged           7  a file of the lake is lost or does not hold what was stored
├── Incomplete            8  finished, but not everything could be read
└── Stopped             130  Ctrl-C; the same command continues

Anything else is a defect of ours and ends with exit code 1.
"""

import errno
from typing import Any, ClassVar, Protocol

REFUSALS = (errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOSPC, errno.EDQUOT, errno.EMFILE)


class Report(Protocol):
    """What a run did, in the form of `--json`."""

    def as_dict(self) -> dict[str, Any]:
        """Return the `--json` form."""
        ...


class GamelakeError(Exception):
    """An expected failure: what was done, on what, why, and what to do next.

    `report` is what the run had done until then, where there is something to say.
    """

    exit_code: ClassVar[int] = 1
    code: ClassVar[str] = "defect"
    report: Report | None = None

    def __init__(self, message: str, *, operation: str, subject: str = "", hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.operation = operation
        self.subject = subject
        self.hint = hint

    def as_dict(self) -> dict[str, object]:
        """Return the `--json` form: `{error, code, subject, hint}`."""
        return {
            "error": self.message,
            "code": self.code,
            "subject": self.subject or self.operation,
            "hint": self.hint,
        }


class UsageError(GamelakeError):
    """The command line or the configuration is wrong."""

    exit_code = 2
    code = "usage"


class SourceError(GamelakeError):
    """The source refused the request or cannot be reached."""

    exit_code = 3
    code = "source"


class QuotaSpent(GamelakeError):
    """The month's requests are used up; what was read is stored."""

    exit_code = 4
    code = "quota"


class ChecksFailed(GamelakeError):
    """At least one check failed, so nothing was published."""

    exit_code = 5
    code = "checks"


class Locked(GamelakeError):
    """Another writer works on this lake."""

    exit_code = 6
    code = "locked"


class Conflict(GamelakeError):
    """The reference moved since this run started from it."""

    exit_code = 6
    code = "conflict"


class ServiceDown(GamelakeError):
    """A configured service does not answer, or the storage under the lake refused."""

    exit_code = 7
    code = "service"


class Damaged(ServiceDown):
    """A file of the lake is lost, or does not hold what was stored in it."""

    next_step: ClassVar[str] = "`gamelake verify` names what is lost; then docs/runbook.md"


class Incomplete(GamelakeError):
    """The run finished, but some page or window could not be read."""

    exit_code = 8
    code = "incomplete"


class Stopped(GamelakeError):
    """The user stopped the run; the same command continues it."""

    exit_code = 130
    code = "stopped"


def storage_refused(error: OSError, *, operation: str, subject: str = "") -> ServiceDown:
    """Say what the system refused (no space, no right, a failing disk) and what to do.

    `subject`: what to name where the error names no file.
    """
    subject = str(error.filename or subject)
    return ServiceDown(
        f"the storage refused: {error.strerror or error}" + (f": {subject}" if subject else ""),
        operation=operation,
        subject=subject,
        hint="check free space and rights of the folder (gamelake doctor); "
        "the same command continues",
    )


def is_refusal(error: BaseException) -> bool:
    """Return whether the surroundings said no, so that what is stored may be as sound as ever."""
    if isinstance(error, OSError):
        return isinstance(error, PermissionError) or error.errno in REFUSALS
    surroundings = isinstance(error, ServiceDown | Locked | UsageError)
    return surroundings and not isinstance(error, Damaged)


def exit_code(error: BaseException) -> int:
    """Map any exception to the process exit code of DESIGN section 3."""
    if isinstance(error, GamelakeError):
        return error.exit_code
    if isinstance(error, KeyboardInterrupt):
        return Stopped.exit_code
    return 1
