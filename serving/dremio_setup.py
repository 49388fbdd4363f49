"""Brings Dremio to the state that analysts expect: sources, space, views, wiki texts, labels.

Each object is looked up, created when it is missing, changed when it differs and is ours, and
otherwise left alone; so a run that was killed, or whose answer got lost, is simply repeated.
Ours is what carries our mark (see serving.dremio_text).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from etl.iceberg_schemas import TABLES
from serving.dremio_client import DremioClient, Entity, name_of
from serving.dremio_report import Action, SetupReport
from serving.dremio_sources import SOURCE_MARK, nessie_source, raw_source, same_source
from serving.dremio_text import (
    NESSIE,
    RAW,
    SPACE,
    SQL_MARK,
    VIEW_TAGS,
    WIKI_MARK,
    source_wiki,
    space_wiki,
    table_tags,
    table_view_sql,
    table_wiki,
    view_sql,
    view_wiki,
)
from serving.view_files import View, load_views
from storage.layout import MAIN, NAMESPACE
from utils.config import Settings
from utils.errors import Conflict, ServiceDown, UsageError

_TRIES = 2  # a change that somebody overtook is looked at once more
_STATE_TRIES = 5
_OURS_HINT = (
    "are DREMIO_NESSIE_URI, DREMIO_MINIO_ENDPOINT and MINIO_ANALYST_SECRET_KEY right as seen from "
    "Dremio? then: gamelake dremio-setup --resend-secrets"
)
_THEIRS_HINT = (
    "gamelake did not make it and leaves it alone: correct its key in Dremio, or remove it there, "
    "then gamelake dremio-setup"
)


@dataclass(frozen=True)
class Documented:
    """A view of the space with its documentation; `reads` are the views and tables it needs."""

    name: str
    sql: str
    wiki: str
    tags: tuple[str, ...]
    reads: frozenset[str]

    @property
    def body(self) -> Entity:
        """Return the entity as Dremio takes it."""
        return {
            "entityType": "dataset",
            "type": "VIRTUAL_DATASET",
            "path": [SPACE, self.name],
            "sql": self.sql,
            "sqlContext": [],
        }


def wanted_views() -> list[Documented]:
    """Return every view of the space, each after those it reads: tables first."""
    views = load_views()
    names = [view.name for view in views]
    tables = [
        Documented(n, table_view_sql(t), table_wiki(t), table_tags(t), frozenset({n}))
        for n, t in TABLES.items()
    ]
    return tables + [
        Documented(view.name, view_sql(view, names), view_wiki(view), VIEW_TAGS, _needs(view))
        for view in views
    ]


def has_views(client: DremioClient) -> bool:
    """Return whether the space has every view with the text of this version."""

    def is_there(view: Documented) -> bool:
        stored = client.find(view.body["path"])
        return stored is not None and _judged_view(view)(stored) == "unchanged"

    return all(map(is_there, wanted_views()))


def _needs(view: View) -> frozenset[str]:
    known = TABLES.keys() | {other.name for other in load_views()}
    return frozenset(view.references & known - {view.name})


class DremioSetup:
    """One set-up over a logged-in client; `report` grows while it works."""

    def __init__(
        self,
        client: DremioClient,
        report: SetupReport,
        *,
        resend_secrets: bool = False,
        pause: Callable[[float], None],
    ) -> None:
        """`resend_secrets`: write our sources even if equal; `pause(seconds)` waits."""
        self._client = client
        self._report = report
        self._resend = resend_secrets
        self._pause = pause

    def run(self, settings: Settings) -> None:
        """Set up everything.

        Raises UsageError where somebody else's object stands in the way or Dremio refuses what it
        is told, Conflict when somebody changes an object all the time, ServiceDown when Dremio
        cannot use a source.
        """
        for body in (nessie_source(settings), raw_source(settings)):
            self._source(body)
        named = {"entityType": "space", "name": SPACE}
        space, _ = self._ensure(named, "space", lambda _: "unchanged")
        self._wiki(space, SPACE, space_wiki(load_views()))
        published = self._published_tables()
        self._views(published)

    def _source(self, body: Entity) -> None:
        name = body["name"]

        def judged(stored: Entity) -> Action:
            if stored.get("type") != body["type"]:
                raise _in_the_way(f"a source {name} of type {stored.get('type')}", name)
            same = same_source(stored, body)
            if self._is_ours(stored):
                return "unchanged" if same and not self._resend else "updated"
            if not same:
                raise _in_the_way(f"a source {name} that gamelake did not make", name)
            return "kept"

        stored, action = self._ensure(body, "source", judged)
        if stored is not None:
            self._check_usable(stored, name, ours=action != "kept")
        if action != "kept":
            self._wiki(stored, name, _source_text(name))

    def _is_ours(self, source: Entity) -> bool:
        """Return whether we made it; the wiki knows too, should Dremio keep no description."""
        if said := source.get("description"):
            return SOURCE_MARK in said
        return WIKI_MARK in (self._client.note(source["id"], "wiki").get("text") or "")

    def _check_usable(self, stored: Entity, name: str, *, ours: bool) -> None:
        """Wait a moment for a new source; raises ServiceDown when Dremio cannot use it."""
        for attempt in range(_STATE_TRIES):
            state = stored.get("state") or {}
            if state.get("status") != "bad":
                return
            if attempt + 1 < _STATE_TRIES:
                self._pause(1.0)
                stored = self._client.find([name]) or stored
        raise ServiceDown(
            f"Dremio cannot use its source {name}: {_complaint(state)}",
            operation="set up Dremio",
            subject=name,
            hint=_OURS_HINT if ours else _THEIRS_HINT,
        )

    def _published_tables(self) -> frozenset[str]:
        """Document the star's tables in the Nessie source; return those that are there."""
        found = {}
        for name, table in TABLES.items():
            stored = self._client.find([NESSIE, NAMESPACE, name], branch=MAIN)
            if stored is None:
                self._report.add("wiki", f"{NESSIE}.{NAMESPACE}.{name}", "waiting")
                continue
            found[name] = stored
            self._wiki(stored, f"{NESSIE}.{NAMESPACE}.{name}", table_wiki(table))
            self._labels(stored, f"{NESSIE}.{NAMESPACE}.{name}", table_tags(table))
        return frozenset(found)

    def _views(self, published: frozenset[str]) -> None:
        waiting: set[str] = set(TABLES.keys() - published)
        for view in wanted_views():
            name = f"{SPACE}.{view.name}"
            if view.reads & waiting:
                waiting.add(view.name)
                self._report.add("view", name, "waiting")
                continue
            stored, _ = self._ensure(view.body, "view", _judged_view(view))
            self._wiki(stored, name, view.wiki)
            self._labels(stored, name, view.tags)

    def _ensure(
        self, body: Entity, kind: str, judged: Callable[[Entity], Action]
    ) -> tuple[Entity | None, Action]:
        """Create what `body` says, or do with what is stored as `judged` says of it.

        Returns what is stored then (None if only planned), and what was done.
        """
        path = body.get("path") or [body["name"]]
        for attempt in range(_TRIES):
            stored = self._client.find(path)
            if stored is not None and stored.get("entityType") != body["entityType"]:
                raise _in_the_way(f"{stored.get('entityType')} {name_of(body)}", name_of(body))
            action = "created" if stored is None else judged(stored)
            try:
                if not self._report.dry_run and action in ("created", "updated"):
                    stored = self._write(stored, body)
            except Conflict:
                if attempt + 1 == _TRIES:
                    raise
                continue
            self._report.add(kind, name_of(body), action)
            return stored, action
        raise AssertionError("the last try returns or raises")

    def _write(self, stored: Entity | None, body: Entity) -> Entity:
        if stored is None:
            return self._client.create(body)
        return self._client.update(stored, body)

    def _wiki(self, entity: Entity | None, name: str, text: str) -> None:
        if entity is None:
            self._report.add("wiki", name, "created")
            return
        known = self._client.note(entity["id"], "wiki")
        before = known.get("text") or ""
        if before == text:
            action: Action = "unchanged"
        elif before and WIKI_MARK not in before and before != SOURCE_MARK:
            action = "kept"
        else:
            action = "updated" if WIKI_MARK in before else "created"
            self._note(entity, "wiki", {"text": text, "version": known.get("version")})
        self._report.add("wiki", name, action)

    def _labels(self, entity: Entity | None, name: str, tags: Sequence[str]) -> None:
        if entity is None:
            self._report.add("labels", name, "created")
            return
        known = self._client.note(entity["id"], "tag")
        before = list(known.get("tags") or [])
        missing = [tag for tag in tags if tag not in before]
        if missing:  # labels of others stay
            body = {"tags": before + missing, "version": known.get("version")}
            self._note(entity, "tag", body)
        action: Action = "unchanged" if not missing else "updated" if before else "created"
        self._report.add("labels", name, action)

    def _note(self, entity: Entity, facet: str, body: Entity) -> None:
        if not self._report.dry_run:
            self._client.set_note(entity["id"], "wiki" if facet == "wiki" else "tag", body)


def _complaint(state: Entity) -> str:
    """Return what Dremio says of a source that it cannot use; its texts are not for machines."""
    messages = state.get("messages") or []
    said = messages if isinstance(messages, list) else [messages]
    texts = (str(one.get("message", one) if isinstance(one, dict) else one) for one in said)
    return "; ".join(texts) or "bad"


def _judged_view(view: Documented) -> Callable[[Entity], Action]:
    def judged(stored: Entity) -> Action:
        sql = stored.get("sql") or ""
        if stored.get("type") != "VIRTUAL_DATASET" or not sql.startswith(SQL_MARK):
            raise _in_the_way(f"a view {SPACE}.{view.name} of somebody else", view.name)
        same = sql.strip() == view.sql.strip() and not stored.get("sqlContext")
        return "unchanged" if same else "updated"

    return judged


def _source_text(name: str) -> str:
    texts = {
        NESSIE: source_wiki(
            "The star, as tables",
            f"Iceberg tables in `{NAMESPACE}`; branch `{MAIN}` is what is published, and a tag "
            f"`run-...` an earlier publish. Views that answer questions are in `{SPACE}`.",
        ),
        RAW: source_wiki(
            "What the source said",
            "Parquet files as they were fetched, append-only: `rawg/<entity>/run=<run>/`. To look "
            f"something up; for questions use `{SPACE}`.",
        ),
    }
    return texts[name]


def _in_the_way(what: str, subject: str) -> UsageError:
    return UsageError(
        f"Dremio has {what}; it stays as it is",
        operation="set up Dremio",
        subject=subject,
        hint="rename or remove it in Dremio, then gamelake dremio-setup",
    )
