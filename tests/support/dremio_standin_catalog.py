"""The catalog of the Dremio stand-in: entities with ids and tags, wiki texts and labels."""

import copy
import json
import uuid
from typing import Any

from dremio_standin_rules import (
    MASKED,
    SECRET_FIELDS,
    Body,
    RefusedError,
    check_name,
    check_source,
    only,
    state_of,
)
from dremio_standin_sql import SqlRefusedError, StandinSql

_MAIN = {"type": "BRANCH", "value": "main"}


class StandinCatalog:
    """What POST, PUT and GET of /api/v3/catalog do; raises RefusedError for every other answer."""

    def __init__(self, sql: StandinSql, keys: dict[str, str]) -> None:
        """`keys`: access key -> secret that MinIO would take from Dremio."""
        self.sql = sql
        self.keys = keys
        self.entities: dict[str, Body] = {}
        self.wikis: dict[str, Body] = {}
        self.labels: dict[str, Body] = {}

    def create(self, body: Body) -> Body:
        """POST /api/v3/catalog."""
        kind = body.get("entityType")
        if kind not in ("source", "space", "folder", "dataset"):
            raise RefusedError(400, f"Could not resolve type id {kind!r}")
        if body.get("id") is not None:
            raise RefusedError(400, f"{kind} id is immutable.")
        if kind == "source" and body.get("tag") is not None:
            raise RefusedError(400, "Source tag is immutable.")
        self._check(body, new=True)
        if self._at(_path(body)) is not None:
            raise RefusedError(409, f"{'.'.join(_path(body))} already exists.")
        return self.read(self._store(str(uuid.uuid4()), body))

    def update(self, entity_id: str, body: Body) -> Body:
        """PUT /api/v3/catalog/{id}."""
        if body.get("id") != entity_id:
            raise RefusedError(404, "Ids must match.")
        stored = self.entities.get(entity_id)
        if stored is None:
            raise RefusedError(404, f"Could not find entity with id [{entity_id}]")
        if not body.get("tag"):
            raise RefusedError(400, "tag is required")
        if body["tag"] != stored["tag"]:
            raise RefusedError(409, "tried to update, the tag does not match")
        if _path(body) != _path(stored) or body.get("type") != stored.get("type"):
            raise RefusedError(400, "name, path and type are immutable")
        self._check(body, new=False)
        return self.read(self._store(entity_id, _with_secret(body, stored)))

    def by_path(self, path: list[str], version: Body | None) -> Body:
        """GET /api/v3/catalog/by-path/{path}."""
        if len(path) > 1 and path[0] == "nessie" and self._at(["nessie"]) is not None:
            return self._table(path, version)
        found = self._at(path)
        if found is None:
            raise RefusedError(404, f"Could not find entity with path {path}")
        if self._state(found).get("status") == "bad":
            raise RefusedError(400, f"Source {path[0]} is in a bad state")
        return self.read(found)

    def by_id(self, entity_id: str) -> Body:
        """GET /api/v3/catalog/{id}."""
        if entity_id not in self.entities:
            raise RefusedError(404, f"Could not find entity with id [{entity_id}]")
        return self.read(self.entities[entity_id])

    def listed(self) -> Body:
        """GET /api/v3/catalog: what stands at the top."""
        roots = [e for e in self.entities.values() if len(_path(e)) == 1]
        return {
            "data": [
                {"id": e["id"], "path": _path(e), "tag": e["tag"], "type": "CONTAINER"}
                for e in roots
            ]
        }

    def read(self, stored: Body) -> Body:
        """Return an entity as Dremio gives it back: secrets masked, defaults filled in."""
        given = copy.deepcopy(stored)
        if given["entityType"] != "source":
            return given
        given["config"][SECRET_FIELDS[given["type"]]] = MASKED
        given["config"].setdefault("defaultCtasFormat", "ICEBERG")
        given["config"]["propertyList"].reverse()
        # The store that Dremio writes through has no empty lists.
        given["config"] = {k: v for k, v in given["config"].items() if v != []}
        return {**given, "state": self._state(stored), "children": []}

    def note(self, entity_id: str, facet: str) -> Body:
        """GET .../collaboration/{wiki|tag}."""
        entity = self._documented(entity_id, facet)
        if facet == "tag":
            return self.labels.get(entity_id, {"tags": []})
        if entity_id not in self.wikis and entity.get("description"):
            self.wikis[entity_id] = {"text": entity["description"], "version": 0}
        return self.wikis.get(entity_id, {"text": ""})

    def set_note(self, entity_id: str, facet: str, body: Body) -> Body:
        """POST .../collaboration/{wiki|tag}."""
        self._documented(entity_id, facet)
        value = "text" if facet == "wiki" else "tags"
        only(body, {value, "version"}, facet)
        kept = self.wikis if facet == "wiki" else self.labels
        known = kept.get(entity_id, {}).get("version")
        if body.get("version") != known:
            raise RefusedError(409, f"The provided version [{body.get('version')}] does not match")
        if facet == "tag" and len(set(body["tags"])) != len(body["tags"]):
            raise RefusedError(400, "Tags must be unique")
        version: Any = str(uuid.uuid4()) if facet == "tag" else -1 if known is None else known
        version = version + 1 if facet == "wiki" else version
        kept[entity_id] = {value: body[value], "version": version}
        return kept[entity_id]

    def _documented(self, entity_id: str, facet: str) -> Body:
        if entity_id.startswith("{"):
            return self._versioned(json.loads(entity_id))
        if entity_id not in self.entities:
            raise RefusedError(404, f"Could not find entity with id [{entity_id}]")
        entity = self.entities[entity_id]
        if facet == "tag" and entity["entityType"] != "dataset":
            raise RefusedError(400, "Labels may only be set on views and tables.")
        return entity

    def _versioned(self, key: Body) -> Body:
        if key.get("versionContext") != _MAIN:
            raise RefusedError(400, "Wiki and Label can only be set on the default branch")
        if key["tableKey"][-1] not in self.sql.tables:
            raise RefusedError(400, f"Could not find entity with key {key['tableKey']}")
        return {}

    def _table(self, path: list[str], version: Body | None) -> Body:
        if path[:2] != ["nessie", "games"] or len(path) != 3 or path[2] not in self.sql.tables:
            raise RefusedError(404, f"Could not find entity with path {path}")
        context = version or {"type": "NOT_SPECIFIED", "value": ""}
        key = {"tableKey": path, "contentId": f"c-{path[2]}", "versionContext": context}
        told = {"entityType": "dataset", "type": "PHYSICAL_DATASET", "path": path, "tag": "null"}
        return {**told, "id": json.dumps(key, separators=(",", ":"))}

    def _check(self, body: Body, *, new: bool) -> None:
        match body["entityType"]:
            case "source":
                check_source(body, new=new)
            case "space":
                check_name(body)
                self.sql.make_space(body["name"])
            case "folder":
                raise RefusedError(400, "no folder is expected here")
            case "dataset":
                self._check_view(body)

    def _check_view(self, body: Body) -> None:
        path = body.get("path") or []
        if body.get("type") != "VIRTUAL_DATASET" or len(path) < 2:
            raise RefusedError(400, "Dataset type and a fully qualified path are required.")
        root = self._at(path[:1])
        if root is None or root["entityType"] != "space":
            raise RefusedError(400, f"Could not find the space with name [{path[0]}].")
        if not (body.get("sql") or "").strip():
            raise RefusedError(400, "Virtual dataset cannot have empty sql defined.")
        try:
            self.sql.save_view(path, body["sql"])
        except SqlRefusedError as error:
            raise RefusedError(400, str(error)) from None

    def _store(self, entity_id: str, body: Body) -> Body:
        kept = {key: value for key, value in body.items() if key != "state"}
        self.entities[entity_id] = {**kept, "id": entity_id, "tag": str(uuid.uuid4())}
        return self.entities[entity_id]

    def _state(self, entity: Body) -> Body:
        return state_of(entity, self.keys) if entity["entityType"] == "source" else {}

    def _at(self, path: list[str]) -> Body | None:
        return next((e for e in self.entities.values() if _path(e) == path), None)


def _path(body: Body) -> list[str]:
    return list(body.get("path") or [body.get("name")])


def _with_secret(body: Body, stored: Body) -> Body:
    """Keep the stored secret where the body says so."""
    if body["entityType"] != "source":
        return body
    field = SECRET_FIELDS[body["type"]]
    if body["config"][field] != MASKED:
        return body
    return {**body, "config": {**body["config"], field: stored["config"][field]}}
