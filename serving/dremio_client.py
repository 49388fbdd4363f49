"""Dremio's REST API, as far as the set-up needs it: log in, look up, create, change, document.

Bodies and answers are JSON objects as Dremio defines them; nothing is retried here. Every call
can be repeated: what exists is looked up first, and a change carries the tag it was made from.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Literal
from urllib.parse import quote

import requests

from utils.errors import Conflict, GamelakeError, ServiceDown, UsageError
from utils.seams import operation

Entity = dict[str, Any]
Facet = Literal["wiki", "tag"]
_TIMEOUT_S = (5.0, 120.0)  # to connect; between bytes, because Dremio tries a source when told one
# What we read of an answer. A field may be absent or null, but no other kind of thing.
_KINDS = {
    **dict.fromkeys(("id", "tag", "token", "type", "entityType"), str),
    **dict.fromkeys(("sql", "description", "text"), str),
    **dict.fromkeys(("data", "path", "tags"), list),
    "state": dict,
}
_FIRST_USER_EXISTS = "already registered"
_DOWN_HINT = "docker compose up -d dremio (make up starts all), then gamelake check-services"


class DremioClient:
    """One Dremio; use as a context manager. `login` first, all but `ready` wants it."""

    def __init__(self, url: str, *, timeout_s: tuple[float, float] = _TIMEOUT_S) -> None:
        """Talk to `url`, such as http://127.0.0.1:9047; `timeout_s`: to connect, between bytes."""
        self._timeout_s = timeout_s
        self._url = url.rstrip("/")
        self._session = requests.Session()
        self._session.auth = _Token("")

    def __enter__(self) -> "DremioClient":
        return self

    def __exit__(self, *_: object) -> None:
        self._session.close()

    def ready(self) -> bool:
        """Return whether the server says that it is up; False while it starts or is not there."""
        try:
            with operation("dremio.call"):
                found = self._session.get(f"{self._url}/apiv2/server_status", timeout=5)
        except requests.RequestException:
            return False
        return found.status_code == 200

    def login(self, user: str, password: str) -> bool:
        """Log in; return False when this Dremio has no user at all yet.

        Raises UsageError when it has users and refuses this one.
        """
        body = {"userName": user, "password": password}
        answer = self._send("POST", "/apiv2/login", body)
        if answer.status_code == 403 and "No User" in answer.text:
            return False
        if answer.status_code in (401, 403):
            raise UsageError(
                "Dremio refuses user and password",
                operation="log in to Dremio",
                subject=self._url,
                hint="set DREMIO_USER and DREMIO_PASSWORD to those of an administrator of Dremio",
            )
        said = _object(self._checked(answer, "log in to Dremio"), "token")
        self._session.auth = _Token(said["token"])
        return True

    def create_first_user(self, user: str, password: str) -> None:
        """Make the administrator of a fresh Dremio; fine when somebody else was faster."""
        body = {
            "userName": user,
            "firstName": user,
            "lastName": "gamelake",
            "email": f"{user}@gamelake.invalid",
            "createdAt": 0,
            "password": password,
        }
        answer = self._send("PUT", "/apiv2/bootstrap/firstuser", body)
        if answer.status_code != 400 or _FIRST_USER_EXISTS not in answer.text:
            self._checked(answer, "create the first user")

    def find(self, path: Sequence[str], *, branch: str | None = None) -> Entity | None:
        """Return what lies at `path`, on `branch` inside a versioned source; None if nothing."""
        where = "/".join(quote(part, safe="") for part in path)
        query = "" if branch is None else f"?versionType=BRANCH&versionValue={quote(branch)}"
        answer = self._send("GET", f"/api/v3/catalog/by-path/{where}{query}")
        if answer.status_code == 404:
            return None
        if answer.status_code == 400 and len(path) == 1:
            return self._find_bad_source(path[0])
        return _object(self._checked(answer, "look up", ".".join(path)), "id")

    def create(self, body: Entity) -> Entity:
        """Create an entity and return it as stored; raises Conflict when it exists."""
        answer = self._send("POST", "/api/v3/catalog", body)
        return _object(self._checked(answer, "create", name_of(body)), "id")

    def update(self, known: Entity, body: Entity) -> Entity:
        """Change the entity `known` to `body`; raises Conflict when it is not what we saw."""
        where = f"/api/v3/catalog/{quote(known['id'], safe='')}"
        if known.get("tag") is None:
            raise _not_dremio(self._url + where)
        full = {**body, "id": known["id"], "tag": known["tag"]}
        answer = self._send("PUT", where, full)
        return _object(self._checked(answer, "change", name_of(body)), "id")

    def note(self, entity_id: str, facet: Facet) -> Entity:
        """Return wiki `{text, version}` or labels `{tags, version}`; version is absent if none."""
        return _object(self._checked(self._send("GET", _noted(entity_id, facet)), f"read {facet}"))

    def set_note(self, entity_id: str, facet: Facet, body: Entity) -> None:
        """Write wiki or labels; raises Conflict when `version` in `body` is not the stored one."""
        known = {key: value for key, value in body.items() if value is not None}
        self._checked(self._send("POST", _noted(entity_id, facet), known), f"write {facet}")

    def _find_bad_source(self, name: str) -> Entity | None:
        """Find a source that by-path does not give because Dremio cannot reach what it names."""
        listed = self._checked(self._send("GET", "/api/v3/catalog"), "list the catalog")
        for item in _object(listed, "data")["data"]:
            if _known(item, "path", "id", url=listed.url)["path"] == [name]:
                where = f"/api/v3/source/{quote(item['id'], safe='')}"
                found = _object(self._checked(self._send("GET", where), "look up", name), "id")
                return {"entityType": "source", **found}
        return None

    def _send(
        self, method: str, path: str, body: Mapping[str, Any] | None = None
    ) -> requests.Response:
        try:
            with operation("dremio.call"):
                return self._session.request(
                    method,
                    self._url + path,
                    json=body,
                    timeout=self._timeout_s,
                    allow_redirects=False,
                )
        except requests.RequestException as error:
            raise ServiceDown(
                f"Dremio does not answer ({type(error).__name__})",
                operation="ask Dremio",
                subject=self._url,
                hint=_DOWN_HINT,
            ) from error

    def _checked(
        self, answer: requests.Response, doing: str, subject: str = ""
    ) -> requests.Response:
        if answer.status_code < 300:
            return answer
        said = _reason(answer)
        kind, hint = _meaning(answer.status_code)
        raise kind(
            f"Dremio could not {doing} {subject}".rstrip() + f" ({answer.status_code}): {said}",
            operation=doing,
            subject=subject or self._url,
            hint=hint,
        )


def name_of(body: Entity) -> str:
    """Return how people call the entity: its name, or its path with dots."""
    return str(body.get("name") or ".".join(body["path"]))


class _Token(requests.auth.AuthBase):
    """Dremio's own header; an auth object, so that a .netrc cannot replace it."""

    def __init__(self, token: str) -> None:
        self._token = token

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        if self._token:
            request.headers["Authorization"] = f"_dremio{self._token}"
        return request


def _noted(entity_id: str, facet: Facet) -> str:
    # The id of a table in Nessie is a JSON text.
    return f"/api/v3/catalog/{quote(entity_id, safe='')}/collaboration/{facet}"


def _meaning(status: int) -> tuple[type[GamelakeError], str]:
    if status >= 500:
        return ServiceDown, "see Dremio's log: docker compose logs dremio; then the same command"
    if status == 409:
        return Conflict, "somebody else changes it now; the same command again"
    if status in (401, 403):
        return UsageError, "DREMIO_USER has to be an administrator of Dremio"
    return UsageError, "docs/runbook.md, Dremio"


def _reason(answer: requests.Response) -> str:
    try:
        found = answer.json()
    except requests.JSONDecodeError:
        return answer.reason or "no reason given"
    said = found if isinstance(found, dict) else {}
    texts = (said.get("errorMessage"), said.get("moreInfo"))
    return " ".join(str(text) for text in texts if text) or "no reason given"


def _object(answer: requests.Response, *wanted: str) -> Entity:
    """Return the JSON object; raises ServiceDown when it is none that Dremio would send."""
    try:
        found = answer.json()
    except requests.JSONDecodeError:
        found = None
    return _known(found, *wanted, url=answer.url)


def _known(found: object, *wanted: str, url: str) -> Entity:
    """Return `found` if it is an object with all `wanted` fields, each of its kind."""
    if not isinstance(found, dict) or any(found.get(name) is None for name in wanted):
        raise _not_dremio(url)
    for name, kind in _KINDS.items():
        if not isinstance(found.get(name), kind | None):
            raise _not_dremio(url)
    return found


def _not_dremio(url: str) -> ServiceDown:
    return ServiceDown(
        "what answers is not Dremio",
        operation="ask Dremio",
        subject=url,
        hint="set DREMIO_URL to Dremio's web address, such as http://127.0.0.1:9047",
    )
