"""From a request target to a reply. Knows HTTP's words, not its wire."""

import random
from collections import Counter
from dataclasses import dataclass
from urllib.parse import parse_qsl

from simulator.catalogue import Catalogue
from simulator.config import FaultProfile, Knobs, SimulatorConfig
from simulator.draws import Blend
from simulator.faults import WIRE_FAULTS, FaultPlan, Quota
from simulator.listing import INVALID_PAGE, NEXT_ERROR, Listings
from simulator.lookups import PATHS, Lookups
from simulator.query import ListingQuery, number, parse_listing
from simulator.replay import Recording, load_recording
from simulator.selector import Selector
from simulator.shapes import detail_row, encode
from simulator.store import generated_store, memory_store, part_of

NO_KEY = b'{"error": "The key parameter is not provided"}'
BAD_KEY = b'{"error": "The API key is not found"}'
NO_QUOTA = b'{"error": "The monthly API limit reached"}'
NOT_FOUND = b'{"detail":"Not found."}'
HTML_PAGE = b"<html><head><title>Just a moment</title></head><body>Checking.</body></html>"
_DEEPEST = 900_000  # rows; there a page takes 4.3 times the latency of a first page
_DEEP_FACTOR = 3.3
_FAIL_FAST = 0.3  # of the latency: errors came after 0.18 s, first pages after 0.6 s
_REASONS = {429: "Too Many Requests", 500: "Internal Server Error", 502: "Bad Gateway"}
_REASONS |= {503: "Service Temporarily Unavailable", 504: "Gateway Time-out"}


@dataclass(slots=True)
class Reply:
    """What to send after `delay` seconds. `fault` is one of `faults.WIRE_FAULTS` or ''.

    `kind` says what the request was: listing, lookup, detail, refused, missing or faulted.
    """

    status: int
    body: bytes
    kind: str
    delay: float = 0.0
    fault: str = ""
    content_type: str = "application/json"


class Simulator:
    """A running simulation: catalogue, knobs, faults, quota and counters of requests."""

    def __init__(self, config: SimulatorConfig) -> None:
        self.recording = load_recording(config.replay) if config.replay else Recording([])
        if config.replay:
            store = memory_store([part_of(self.recording.rows)])
        else:
            store = generated_store(
                Blend(config.games, config.seed, config.busy_month, config.busy_day)
            )
        self.catalogue = Catalogue(store)
        self.knobs = Knobs.of(config)
        self.start_faults(config.faults, config.fault_seed)
        self.quota = Quota(config.fault_seed)
        self.kinds: Counter[str] = Counter()
        self.pages: Counter[str] = Counter()  # listing queries that were answered whole
        selector = Selector(self.catalogue)
        self._listings = Listings(self.catalogue, selector, self.knobs)
        self._lookups = Lookups(self.catalogue, selector, self.recording.lookups)
        self._slugs = self._lookups.slugs()
        self._drift = random.Random(config.seed)  # noqa: S311 - a reproducible plan, no secret

    def start_faults(self, profile: FaultProfile, seed: int) -> None:
        """Begin a fault profile; how often each fault fired is counted anew."""
        self.plan = FaultPlan(profile, seed)

    def reply(self, target: str, base: str, now: float) -> Reply:
        """Answer a GET of `target` (path and query); `base` is the server's `http://host:port`."""
        path, _, query = target.partition("?")
        reply = self._reply(path.rstrip("/"), query, base, now)
        self.kinds["faulted" if reply.fault else reply.kind] += 1
        if reply.kind == "listing" and not reply.fault:
            self.pages[_without_key(query)] += 1
            if self.knobs.drift:
                self._move()
        return reply

    def _reply(self, path: str, query: str, base: str, now: float) -> Reply:
        params = dict(parse_qsl(query))
        if refusal := self._key_refusal(params.get("key", "")):
            return Reply(401, refusal, "refused")
        fault = self.plan.next(f"{path}?{query}", now) or ""
        if fault and fault not in WIRE_FAULTS:
            return _error(int(fault), self._latency(0) * _FAIL_FAST)
        if self.quota.refuses(self.knobs.quota):
            return Reply(401, NO_QUOTA, "refused")
        reply = self._route(path, query, params, base)
        reply.fault = fault
        return reply

    def _key_refusal(self, key: str) -> bytes | None:
        if not key:
            return NO_KEY
        return BAD_KEY if self.knobs.key and key != self.knobs.key else None

    def _route(self, path: str, query: str, params: dict[str, str], base: str) -> Reply:
        if path == "/api/games":
            return self._listing(parse_listing(query, self.knobs, self._slugs), base + path)
        if path in PATHS:
            return _found(self._lookups.page(path, params, base + path), "lookup", INVALID_PAGE)
        if path.startswith("/api/games/"):
            return self._detail(path.rpartition("/")[2])
        if path == f"/api/{NEXT_ERROR}":
            return _error(500, 0.0)
        return Reply(404, NOT_FOUND, "missing")

    def _listing(self, query: ListingQuery, url: str) -> Reply:
        reply = _found(self._listings.page(query, url), "listing", INVALID_PAGE)
        reply.delay = self._latency(query.page * query.page_size)
        return reply

    def _latency(self, rows: int) -> float:
        """Return the seconds an answer takes that lies `rows` deep in a listing."""
        return self.knobs.latency_ms / 1_000 * (1 + _DEEP_FACTOR * min(rows / _DEEPEST, 1))

    def _detail(self, ident: str) -> Reply:
        position = self.catalogue.position(number(ident) or 0)
        row = None if position is None else self.catalogue.row(position)
        body = None if row is None else encode(detail_row(row))
        return _found(body, "detail", NOT_FOUND)

    def _move(self) -> None:
        """Let some games gain an owner, as on a live site; `updated` stands still."""
        games = self.catalogue.positions().tolist()
        for position in self._drift.sample(games, min(self.knobs.drift, len(games))):
            self.add_owner(position)

    def add_owner(self, position: int, **fields: str) -> None:
        """Put a game on one more shelf: `added` and its statuses grow together; set `fields`."""
        row = self.catalogue.row(position) | fields
        statuses = row["added_by_status"] or {}
        row["added_by_status"] = statuses | {"owned": statuses.get("owned", 0) + 1}
        row["added"] += 1
        self.catalogue.put(row)


def _found(body: bytes | None, kind: str, otherwise: bytes) -> Reply:
    return Reply(404, otherwise, "missing") if body is None else Reply(200, body, kind)


def _error(status: int, delay: float) -> Reply:
    title = f"{status} {_REASONS[status]}"
    body = f"<html><head><title>{title}</title></head><body><h1>{title}</h1></body></html>"
    return Reply(status, body.encode(), "faulted", delay, content_type="text/html")


def _without_key(query: str) -> str:
    return "&".join(part for part in query.split("&") if not part.startswith("key="))
