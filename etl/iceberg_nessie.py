"""The catalog on Nessie: branches and tags are Nessie's, a publish moves `main` in one step.

Nessie merges key by key: a branch merges onto one that has moved, as long as no table changed on
both. So a publish is Nessie's merge onto a candidate branch at main's commit, then a look at the
result, then `main` moves to it if it is still at that commit. That last step is a compare and
swap in Nessie's store, therefore:

- all tables and the record change together, or nothing does;
- of two publishes that started from one commit, one conflicts, whatever tables they changed;
- the fence is read at the commit that the swap expects, and every commit that `main` moves to
  has one at least as high, also after a rollback (which is a new commit where the fence asks for
  it). So a writer with an older lease cannot publish after one with a newer lease.

`Ref.head` is no commit of Nessie's, which changes with every merge, but the hash of what the
commit holds: metadata locations and the record.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Literal, TypeVar

from pyiceberg.exceptions import RESTError
from typing_extensions import override

from etl.iceberg_contract import Ref
from etl.iceberg_nessie_api import FENCE_PROPERTY, Contents, Named, NessieApi, no_such_reference
from etl.iceberg_nessie_tables import NessieTables
from etl.iceberg_pinned import IcebergPinnedTable, PinnedCommit
from etl.iceberg_warehouse import BucketFiles, TableFiles
from storage.layout import MAIN, LakePaths
from storage.minio_client import open_minio_store
from utils.config import Settings
from utils.errors import Conflict, ServiceDown, UsageError
from utils.seams import operation

T = TypeVar("T")
_COMMIT_DIGITS = 64
_CANDIDATE = ".next"  # one a branch, made anew by each publish or rollback that needs it


class NessieCatalog:
    """`LakeCatalog` on the Nessie server at `uri`; connects with the first question."""

    def __init__(self, uri: str, files: TableFiles) -> None:
        self.files = files
        self._api = NessieApi(uri.rstrip("/"))
        self._made: set[str] = set()  # branches of ours that must be there

    def close(self) -> None:
        """Close all connections, and drop what was only needed for writing."""
        self._api.close()
        self.files.close()

    def create_branch(self, name: str, from_ref: str = MAIN) -> Ref:
        """See LakeCatalog."""
        return self._insist(lambda: self._create("branch", name, from_ref, "catalog.branch"))

    def tag(self, name: str, ref: str) -> Ref:
        """See LakeCatalog."""
        return self._insist(lambda: self._create("tag", name, ref, "catalog.commit"))

    def drop_branch(self, name: str) -> None:
        """See LakeCatalog."""
        self._insist(lambda: self._drop(name))

    def references(self) -> Mapping[str, Ref]:
        """See LakeCatalog; each head that is looked at costs a request."""
        found = self._api.references()
        return _References(
            {name: one for name, one in found.items() if not name.endswith(_CANDIDATE)}, self._ref
        )

    def assign(self, name: str, to_ref: str, *, fence: int | None = None) -> Ref:
        """See LakeCatalog."""
        return self._insist(lambda: self._assign(name, to_ref, fence))

    def merge(self, branch: str, *, onto: str = MAIN, expected_head: str, fence: int) -> Ref:
        """See LakeCatalog."""
        return self._insist(lambda: self._merge(branch, onto, expected_head, fence=fence))

    def fence(self) -> int:
        """See LakeCatalog."""
        return self._at(MAIN).fence

    def pin(self, ref: str) -> PinnedCommit:
        """See LakeCatalog; `ref` may be a commit of Nessie's, all 64 digits of it."""
        contents = self._at(ref)
        return PinnedCommit(
            head=contents.head,
            tables={
                name: IcebergPinnedTable(name, location, self.files.io)
                for name, location in sorted(contents.tables.items())
            },
            record=contents.record,
        )

    def branch_tables(self, name: str) -> NessieTables:
        """See LakeCatalog."""
        if self._writable(name).name == MAIN:
            raise _refused(f"{MAIN} moves only by merge", "open branch", name)
        return self._insist(lambda: self._tables(name))

    def _tables(self, branch: str) -> NessieTables:
        with _translated("open branch", branch):
            tables = NessieTables(self._api.patience, branch, self.files.io)
            tables.set_properties({})
            return tables

    def _create(self, kind: Literal["branch", "tag"], name: str, from_ref: str, seam: str) -> Ref:
        source = self._contents(self._get(from_ref))
        if from_ref == MAIN and not source.properties:
            # Nessie merges nothing onto a branch that has no commit yet.
            self._tables(MAIN).close()
            source = self._contents(self._get(MAIN))
        with operation(seam):
            self._api.create(kind, name, source.hash)
        self._made.add(name)
        found = self._ref(self._get(name))
        if (found.kind, found.head) == (kind, source.head):
            return found
        raise Conflict(
            f"{found.kind} {name!r} exists and holds something else than {from_ref!r}",
            operation=f"create {kind}",
            subject=name,
            hint="drop it first, or choose another name",
        )

    def _drop(self, name: str) -> None:
        found = self._api.find(name)
        if found is None:
            return
        _require_branch(found)
        if name == MAIN:
            raise _refused(f"{MAIN} cannot be dropped", "drop branch", name)
        with operation("catalog.branch"):
            self._api.delete_branch(found)
        self._made.discard(name)

    def _assign(self, name: str, to_ref: str, fence: int | None) -> Ref:
        source = self._at(to_ref)
        branch = self._writable(name)
        now = self._contents(branch)
        if fence is not None:
            _check_fence(now, fence, name)
        highest = max(now.fence, fence or 0)
        if now.head == source.head and now.fence == highest:
            return Ref(name, "branch", now.head)
        if source.fence == highest:
            self._move(branch, now.hash, source.hash)
        else:
            with self._candidate(name, source.hash) as candidate:
                self._seal(candidate.name, highest)
                self._move(branch, now.hash, self._checked(candidate.name, source, highest))
        return Ref(name, "branch", source.head)

    def _merge(self, branch: str, onto: str, expected_head: str, *, fence: int) -> Ref:
        source, target = self._get(branch), self._writable(onto)
        new, now = self._contents(source), self._contents(target)
        if now.head != new.head:
            _check_fence(now, fence, onto)
            if now.head != expected_head:
                raise _has_moved(onto, branch)
            if new.fence < fence:
                self._seal(branch, fence)
                source = self._get(branch)
            with self._candidate(onto, now.hash) as candidate:
                with operation("catalog.commit"):
                    self._api.merge(source, candidate)
                merged = self._checked(candidate.name, new, fence)
                self._move(target, now.hash, merged)
            now = self._api.contents(merged)
        self._continue_from(source, now.hash)
        return Ref(onto, "branch", now.head)

    @contextmanager
    def _candidate(self, name: str, commit: str) -> Iterator[Named]:
        """Give a branch at `commit` on which the next commit of branch `name` is made."""
        candidate = f"{name}{_CANDIDATE}"
        self._drop(candidate)
        with operation("catalog.branch"):
            self._api.create("branch", candidate, commit)
        try:
            yield self._standing(candidate)
        except Conflict:
            self._leave(candidate)
            raise
        self._leave(candidate)

    def _leave(self, candidate: str) -> None:
        """Drop a candidate that has served; what another writer has put in its place stays."""
        with suppress(Conflict):
            self._drop(candidate)

    def _checked(self, candidate: str, wanted: Contents, fence: int) -> str:
        """Return the commit of the candidate, which must hold exactly what is wanted."""
        found = self._contents(self._standing(candidate))
        if found.head != wanted.head or found.fence < fence:
            raise _has_moved(candidate.removesuffix(_CANDIDATE), candidate)
        return found.hash

    def _standing(self, candidate: str) -> Named:
        """Return the candidate as it is; Conflict when another writer's has replaced it."""
        found = self._api.find(candidate)
        if found is None:
            raise _has_moved(candidate.removesuffix(_CANDIDATE), candidate)
        return found

    def _seal(self, branch: str, fence: int) -> None:
        """Record on the branch that a writer with this lease moved it."""
        with _translated("seal branch", branch):
            tables = NessieTables(self._api.patience, branch, self.files.io)
            tables.set_properties({FENCE_PROPERTY: str(fence)})
            tables.close()

    def _move(self, branch: Named, expected: str, commit: str) -> None:
        with operation("catalog.commit"):
            self._api.move(Named(branch.name, branch.kind, expected), commit)

    def _continue_from(self, branch: Named, commit: str) -> None:
        """Let a merged branch go on from the merged commit, so that its tag names that one.

        Another writer may have dropped it by now, which has set that tag.
        """
        if branch.kind != "branch" or branch.hash == commit:
            return
        try:
            self._move(branch, branch.hash, commit)
        except Conflict:
            if self._api.find(branch.name) is not None:
                raise

    def _insist(self, ask: Callable[[], T]) -> T:
        """Ask twice when the answer is lost: every question first looks whether it was granted."""
        try:
            return ask()
        except (OSError, ServiceDown):
            if not self._api.patience.answered:
                raise
            return ask()

    def _at(self, ref: str) -> Contents:
        """Return what a reference, or a commit, holds."""
        return self._api.contents(ref if _is_commit(ref) else self._get(ref).hash)

    def _contents(self, named: Named) -> Contents:
        return self._api.contents(named.hash)

    def _ref(self, named: Named) -> Ref:
        return Ref(named.name, named.kind, self._contents(named).head)

    def _get(self, name: str) -> Named:
        found = self._api.find(name)
        if found is None and name in self._made:
            raise _lost(name)
        if found is None:
            raise no_such_reference(name, ", ".join(self.references()))
        return found

    def _writable(self, name: str) -> Named:
        return _require_branch(self._get(name))


def open_nessie(settings: Settings) -> NessieCatalog:
    """Open the catalog of the stack; nothing is asked of Nessie or MinIO yet."""
    bucket = settings.minio_warehouse_bucket
    store = open_minio_store(
        settings.minio_endpoint,
        settings.minio_access_key.get_secret_value(),
        settings.minio_secret_key.get_secret_value(),
        bucket,
    )
    scratch = LakePaths(settings.gamelake_home).scratch
    return NessieCatalog(settings.nessie_uri, BucketFiles(store, f"s3://{bucket}/", scratch))


class _References(Mapping[str, Ref]):
    """References by name; the head of one is read when it is looked at."""

    def __init__(self, named: Mapping[str, Named], resolve: Callable[[Named], Ref]) -> None:
        self._named = named
        self._resolve = resolve

    @override
    def __getitem__(self, name: str) -> Ref:
        return self._resolve(self._named[name])

    @override
    def __iter__(self) -> Iterator[str]:
        return iter(self._named)

    @override
    def __len__(self) -> int:
        return len(self._named)

    @override
    def __contains__(self, name: object) -> bool:
        return name in self._named


@contextmanager
def _translated(what: str, subject: str) -> Iterator[None]:
    try:
        yield
    except RESTError as error:
        raise ServiceDown(
            f"Nessie refused: {error}",
            operation=what,
            subject=subject,
            hint="read Nessie's log; NESSIE_URI says which server it is",
        ) from error


def _is_commit(text: str) -> bool:
    return len(text) == _COMMIT_DIGITS and all(digit in "0123456789abcdef" for digit in text)


def _require_branch(named: Named) -> Named:
    if named.kind == "tag":
        why = f"{named.name} is a tag, and tags never change"
        raise _refused(why, "write reference", named.name)
    return named


def _check_fence(now: Contents, fence: int, name: str) -> None:
    if now.fence > fence:
        raise Conflict(
            f"a newer writer has published: lease {now.fence}, ours is {fence}",
            operation="publish",
            subject=name,
            hint="this run was taken for dead and replaced; look at `gamelake runs`",
        )


def _has_moved(onto: str, branch: str) -> Conflict:
    return Conflict(
        f"{onto} has moved since {branch} started from it",
        operation="merge",
        subject=branch,
        hint="run `gamelake etl` again: it starts from what is published now",
    )


def _lost(name: str) -> ServiceDown:
    return ServiceDown(
        f"Nessie has lost the branch {name}",
        operation="ask the catalog",
        subject="NESSIE_URI",
        hint="it was reset, or restarted without a persistent store; `gamelake etl` builds again",
    )


def _refused(why: str, what: str, name: str) -> UsageError:
    return UsageError(why, operation=what, subject=name, hint="write on a branch of your own")
