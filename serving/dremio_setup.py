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
        return stored is not None and _same_view(view)(stored)

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
        """`resend_secrets`: write sources even if equal; `pause(seconds)` waits."""
        self._client = client
        self._report = report
        self._resend = resend_secrets
        self._pause = pause

    def run(self, settings: Settings) -> None:
        """Set up everything.

        Raises Conflict where somebody else's object stands in the way, ServiceDown when Dremio
        cannot use a source, UsageError when Dremio refuses what it is told.
        """
        nessie, raw = nessie_source(settings), raw_source(settings)
        texts = _source_texts()
        for body in (nessie, raw):
            stored = self._source(body)
            self._wiki(stored, body["name"], texts[body["name"]])
        space = self._ensure({"entityType": "space", "name": SPACE}, "space", lambda _: True)
        self._wiki(space, SPACE, space_wiki(load_views()))
        published = self._published_tables()
        self._views(published)

    def _source(self, body: Entity) -> Entity | None:
        name = body["name"]

        def equal(stored: Entity) -> bool:
            if stored.get("type") != body["type"]:
                raise _in_the_way(f"a source {name} of type {stored.get('type')}", name)
            same = same_source(stored, body)
            if not same and SOURCE_MARK not in (stored.get("description") or ""):
                raise _in_the_way(f"a source {name} that gamelake did not make", name)
            return same and not (self._resend and SOURCE_MARK in (stored.get("description") or ""))

        stored = self._ensure(body, "source", equal)
        return stored if stored is None else self._usable(stored, name)

    def _usable(self, stored: Entity, name: str) -> Entity:
        """Wait a moment for a new source; raises ServiceDown when Dremio cannot use it."""
        for attempt in range(_STATE_TRIES):
            state = stored.get("state") or {}
            if state.get("status") != "bad":
                return stored
            if attempt + 1 < _STATE_TRIES:
                self._pause(1.0)
                stored = self._client.find([name]) or stored
        raise ServiceDown(
            f"Dremio cannot use its source {name}: {_complaint(state)}",
            operation="set up Dremio",
            subject=name,
            hint="are DREMIO_NESSIE_URI, DREMIO_MINIO_ENDPOINT and MINIO_ANALYST_SECRET_KEY right "
            "as seen from Dremio? then: gamelake dremio-setup --resend-secrets",
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
            stored = self._ensure(view.body, "view", _same_view(view))
            self._wiki(stored, name, view.wiki)
            self._labels(stored, name, view.tags)

    def _ensure(self, body: Entity, kind: str, equal: Callable[[Entity], bool]) -> Entity | None:
        """Create or change what `body` says; return what is stored, None if only planned."""
        path = body.get("path") or [body["name"]]
        for attempt in range(_TRIES):
            stored = self._client.find(path)
            if stored is not None and stored.get("entityType") != body["entityType"]:
                raise _in_the_way(f"{stored.get('entityType')} {name_of(body)}", name_of(body))
            action: Action = "created" if stored is None else "updated"
            if stored is not None and equal(stored):
                action = "unchanged"
            try:
                if not self._report.dry_run and action != "unchanged":
                    stored = self._write(stored, body)
            except Conflict:
                if attempt + 1 == _TRIES:
                    raise
                continue
            self._report.add(kind, name_of(body), action)
            return stored
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


def _same_view(view: Documented) -> Callable[[Entity], bool]:
    def equal(stored: Entity) -> bool:
        sql = stored.get("sql") or ""
        if stored.get("type") != "VIRTUAL_DATASET" or not sql.startswith(SQL_MARK):
            raise _in_the_way(f"a view {SPACE}.{view.name} of somebody else", view.name)
        return bool(sql.strip() == view.sql.strip() and not stored.get("sqlContext"))

    return equal


def _source_texts() -> dict[str, str]:
    return {
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


def _in_the_way(what: str, subject: str) -> UsageError:
    return UsageError(
        f"Dremio has {what}; it stays as it is",
        operation="set up Dremio",
        subject=subject,
        hint="rename or remove it in Dremio, then gamelake dremio-setup",
    )
