"""Nessie's references by pynessie, and all contents of a commit in one request.

pynessie knows no way to read several contents at once, nor the properties of a namespace, so
that one question goes to API v2 directly.
"""

import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal, TypeVar, cast

import requests
from marshmallow import ValidationError

from etl.iceberg_nessie_http import ANSWER_S, MEET_S, Patience, PatientAdapter
from etl.iceberg_pointers import Pointers
from etl.iceberg_record import RECORD_PROPERTY, PublishRecord
from storage.layout import NAMESPACE
from utils.errors import Conflict, GamelakeError, ServiceDown, UsageError

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # pynessie uses what marshmallow 4 will not have
    import pynessie
    from pynessie import error as nessie_errors
    from pynessie.client import _endpoints as pynessie_http
    from pynessie.model import Branch, Reference, Tag

# It has no parameter for this, only a variable of the environment that it reads when imported.
pynessie_http.DEFAULT_TIMEOUT_SEC = int(ANSWER_S)

FENCE_PROPERTY = "gamelake.fence"
_DETACHED = "DETACHED"
# What is no answer of Nessie's, and what is no address.
_STRANGE = (
    requests.JSONDecodeError,
    requests.TooManyRedirects,
    requests.exceptions.InvalidURL,
    requests.exceptions.InvalidSchema,
    requests.exceptions.MissingSchema,
)

T = TypeVar("T")
Kind = Literal["branch", "tag"]


@dataclass(frozen=True)
class Named:
    """A reference as Nessie has it: `hash` is that of the commit it names."""

    name: str
    kind: Kind
    hash: str


@dataclass(frozen=True)
class Contents:
    """What one commit holds in our namespace: metadata location by table, and the properties."""

    hash: str
    tables: dict[str, str]
    properties: dict[str, str]

    @property
    def head(self) -> str:
        """Content hash: equal for commits that hold the same tables and record."""
        record = self.properties.get(RECORD_PROPERTY)
        return Pointers(self.tables, {RECORD_PROPERTY: record} if record else {}).head

    @property
    def record(self) -> PublishRecord | None:
        """The record of the last publish."""
        record = self.properties.get(RECORD_PROPERTY)
        return PublishRecord.from_json(record) if record else None

    @property
    def fence(self) -> int:
        """The highest lease epoch that has moved a branch to this content or one before it."""
        recorded = self.record.fence if self.record else 0
        return max(recorded, int(self.properties.get(FENCE_PROPERTY, "0")))


class NessieApi:
    """One Nessie server. Raises ServiceDown when it does not answer, Conflict when it refuses a
    move, UsageError when what answers is no Nessie.
    """

    def __init__(self, uri: str) -> None:
        self.patience = Patience(uri)
        self._uri = uri
        self._met = False
        self._session = requests.Session()
        for scheme in ("http://", "https://"):
            self._session.mount(scheme, PatientAdapter(self.patience))
        self._client = pynessie.init(
            config_dict={
                "endpoint": f"{uri}/api/v1",
                "verify": True,
                "default_branch": "main",
                "auth": {"type": "none", "timeout": 10},
            }
        )

    def close(self) -> None:
        """Close connections."""
        self._session.close()

    def references(self) -> dict[str, Named]:
        """Return every branch and tag."""
        found = self._ask(self._client.list_references, repeatable=True)
        return {reference.name: _named(reference) for reference in found.references}

    def find(self, name: str) -> Named | None:
        """Return the reference `name`, or None."""
        try:
            return _named(self._ask(lambda: self._client.get_reference(name), repeatable=True))
        except _AbsentError:
            return None

    def contents(self, commit: str) -> Contents:
        """Return what a commit holds; raises UsageError when there is none such."""
        page = self._entries(commit, {})
        found = list(page["entries"])
        while page.get("hasMore"):
            page = self._entries(commit, {"page-token": page["token"]})
            found += page["entries"]
        return _contents(commit, found)

    def create(self, kind: Kind, name: str, commit: str) -> None:
        """Create a reference at `commit`; nothing happens when there is one of that name."""
        make = self._client.create_branch if kind == "branch" else self._client.create_tag
        try:
            self._ask(lambda: make(name, _DETACHED, commit), moved=name)
        except _TakenError:
            return

    def delete_branch(self, branch: Named) -> None:
        """Delete a branch if it is still where `branch` says; an absent one is fine."""
        try:
            self._ask(lambda: self._client.delete_branch(branch.name, branch.hash))
        except _AbsentError:
            return

    def move(self, branch: Named, commit: str) -> None:
        """Point a branch to `commit` if it is still where `branch` says, in one step."""
        self._ask(
            lambda: self._client.assign_branch(branch.name, _DETACHED, commit, branch.hash),
            moved=branch.name,
        )

    def merge(self, source: Named, onto: Named) -> None:
        """Merge `source` into the branch `onto`."""
        self._ask(
            lambda: self._client.merge(source.name, onto.name, source.hash, onto.hash),
            moved=onto.name,
        )

    def _ask(self, call: Callable[[], T], *, moved: str = "", repeatable: bool = False) -> T:
        with self._translated(moved):
            self._meet()
            return self.patience.ask(call, repeatable=repeatable)

    def _meet(self) -> None:
        """Ask at first who is there: pynessie would wait longer, and say less, when nobody is."""
        if not self._met:
            response = self._session.get(f"{self._uri}/api/v2/config", timeout=MEET_S)
            if response.status_code >= requests.codes.server_error:
                raise self._refused(f"it answers {response.status_code}")
            if not response.ok or "specVersion" not in response.json():
                raise self._other()
            self._met = True

    def _entries(self, commit: str, more: dict[str, str]) -> dict[str, Any]:
        params = {"content": "true", "prefix-key": NAMESPACE, **more}
        url = f"{self._uri}/api/v2/trees/@{commit}/entries"
        with self._translated():
            self._meet()
            response = self._session.get(url, params=params)
            if response.status_code == requests.codes.not_found:
                raise (
                    no_such_reference(commit) if b"errorCode" in response.content else self._other()
                )
            if not response.ok:
                raise self._refused(f"it answers {response.status_code}")
            return cast(dict[str, Any], response.json())

    @contextmanager
    def _translated(self, moved: str = "") -> Iterator[None]:
        """Say in our words what pynessie raises. `moved`: the branch that was to be moved."""
        try:
            yield
        except nessie_errors.NessieReferenceNotFoundException as error:
            raise (_has_moved(moved) if moved else _AbsentError(error)) from error
        except nessie_errors.NessieReferenceAlreadyExistsException as error:
            raise _TakenError(error) from error
        except nessie_errors.NessieConflictException as error:
            raise _has_moved(moved) from error
        except nessie_errors.NessieNotFoundException as error:
            raise self._other() from error
        except nessie_errors.NessieException as error:
            raise self._refused(str(error)) from error
        except (*_STRANGE, ValidationError, KeyError) as error:
            raise self._other() from error
        except requests.RequestException as error:
            raise self.patience.down(error) from error

    def _refused(self, reason: str) -> ServiceDown:
        return ServiceDown(
            f"Nessie at {self._uri} refused: {reason}",
            operation="ask the catalog",
            subject="NESSIE_URI",
            hint="read Nessie's log; the same command continues",
        )

    def _other(self) -> UsageError:
        return UsageError(
            f"what answers at {self._uri} is not Nessie",
            operation="ask the catalog",
            subject="NESSIE_URI",
            hint="set NESSIE_URI to scheme://host:port of Nessie (its port 19120), without a path",
        )


class _AbsentError(GamelakeError):
    """Nessie knows no such reference."""

    def __init__(self, error: Exception) -> None:
        super().__init__(str(error), operation="look up reference")


class _TakenError(GamelakeError):
    """There is a reference of that name already."""

    def __init__(self, error: Exception) -> None:
        super().__init__(str(error), operation="create reference")


def no_such_reference(name: str, known: str = "") -> UsageError:
    """Return the error that says that nothing is named `name`."""
    return UsageError(
        f"there is no branch, tag or commit {name!r}",
        operation="look up reference",
        subject=name,
        hint=f"known: {known}" if known else "`gamelake runs` lists the runs",
    )


def _has_moved(branch: str) -> Conflict:
    return Conflict(
        f"{branch} has moved meanwhile",
        operation="publish",
        subject=branch,
        hint="run `gamelake etl` again: it starts from what is published now",
    )


def _named(reference: Reference) -> Named:
    if not isinstance(reference, Branch | Tag):
        raise ValidationError(f"{reference} is neither a branch nor a tag")
    kind: Kind = "branch" if isinstance(reference, Branch) else "tag"
    return Named(reference.name, kind, str(reference.hash_))


def _contents(head: str, entries: list[dict[str, Any]]) -> Contents:
    tables: dict[str, str] = {}
    properties: dict[str, str] = {}
    for entry in entries:
        *namespace, name = entry["name"]["elements"]
        content = entry["content"]
        if content["type"] == "ICEBERG_TABLE" and namespace == [NAMESPACE]:
            tables[name] = content["metadataLocation"]
        elif content["type"] == "NAMESPACE" and (*namespace, name) == (NAMESPACE,):
            properties = content["properties"]
    return Contents(head, tables, properties)
