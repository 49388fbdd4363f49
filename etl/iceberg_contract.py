"""The catalog contract: branches, tags and all-or-nothing publishes of the whole star.

Two implementations keep it: `EmbeddedCatalog` (SQLite, no server) and Nessie (stack profile).
Every call may be repeated: asking again for what already happened is answered, not refused,
because after a lost answer nobody knows whether it did.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol

import pyarrow as pa

from etl.iceberg_record import PublishRecord

if TYPE_CHECKING:  # half a second that commands which only fetch need not spend
    from pyiceberg.catalog import Catalog

    from etl.iceberg_warehouse import TableFiles


@dataclass(frozen=True)
class Ref:
    """A branch or tag; `head` names its content, so equal heads mean equal tables."""

    name: str
    kind: Literal["branch", "tag"]
    head: str


@dataclass(frozen=True)
class DataFileInfo:
    """One parquet file of a table: its location (absolute path or s3 URI), rows and bytes."""

    path: str
    rows: int
    bytes: int


class PinnedTable(Protocol):
    """One table as a commit holds it. Loaded when first asked, unchanging after."""

    @property
    def name(self) -> str:
        """Name without the namespace."""

    @property
    def metadata_location(self) -> str:
        """Where the table's metadata file lies."""

    @property
    def snapshot_id(self) -> int:
        """Id of the current snapshot."""

    @property
    def properties(self) -> Mapping[str, str]:
        """Summary of the current snapshot; `gamelake.run-id` is the etl run that wrote it."""

    @property
    def rows(self) -> int:
        """Number of rows."""

    @property
    def schema(self) -> pa.Schema:
        """Columns in order, with their docs."""

    @property
    def data_files(self) -> tuple[DataFileInfo, ...]:
        """Parquet files that hold exactly the table's rows; there are no delete files."""

    def files(self) -> Mapping[str, int | None]:
        """Every file the current snapshot needs, with its size where Iceberg records one."""


class PinnedCatalog(Protocol):
    """All tables of one commit, and the record of the publish that made it."""

    @property
    def head(self) -> str:
        """Content hash, as in `Ref.head`."""

    @property
    def tables(self) -> Mapping[str, PinnedTable]:
        """Tables by name."""

    @property
    def record(self) -> PublishRecord | None:
        """Record of the last publish; None before the first."""


class LakeCatalog(Protocol):
    """Branches and tags over all tables at once.

    Errors: UsageError for a reference that does not exist or may not be written, Conflict when a
    reference moved meanwhile, Locked and ServiceDown when the catalog does not answer.
    """

    @property
    def files(self) -> "TableFiles":
        """The files of all tables."""

    def create_branch(self, name: str, from_ref: str = "main") -> Ref:
        """Start `name` with the content of `from_ref`; Conflict if it exists with another."""

    def drop_branch(self, name: str) -> None:
        """Forget a branch; its files stay. An absent branch is fine, main is refused."""

    def tag(self, name: str, ref: str) -> Ref:
        """Name the content of `ref` for ever; Conflict if the tag names another content."""

    def references(self) -> Mapping[str, Ref]:
        """Return every branch and tag by name; names are cheap, a head may cost a request."""

    def assign(self, name: str, to_ref: str, *, fence: int | None = None) -> Ref:
        """Move branch `name` to the content of `to_ref`, all tables at once (rollback)."""

    def merge(self, branch: str, *, onto: str = "main", expected_head: str, fence: int) -> Ref:
        """Move `onto` to the content of `branch`: every table, or none.

        Conflict when `onto` is not at `expected_head`, when `branch` did not start there, or
        when a writer with a higher `fence` has published. A merge that has already happened
        is answered with its result.
        """

    def fence(self) -> int:
        """Return the highest lease epoch that ever moved main; who has a lower one is refused."""

    def pin(self, ref: str) -> PinnedCatalog:
        """Read all pointers and the record of `ref` (Nessie: or of a commit) as of one moment."""

    def branch_tables(self, name: str) -> "Catalog":
        """Open branch `name` for writing as a pyiceberg catalog; main and tags are refused."""

    def close(self) -> None:
        """Close connections."""
