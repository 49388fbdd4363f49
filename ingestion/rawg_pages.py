"""Pages of a listing: the query, the page, and how an answer is read as one."""

import json
from dataclasses import dataclass
from typing import Annotated, Any
from urllib.parse import quote, quote_plus

import msgspec
from msgspec import Meta, Raw, Struct

from ingestion import json_slices
from ingestion.http_exchange import Answer
from ingestion.rawg_errors import no_api
from storage import layout
from utils.errors import SourceError

_ABSENT = Raw(b"")
_LONG_KEY = 16  # RAWG's own keys have 32 characters
_MAX_INT64 = 2**63 - 1


@dataclass(frozen=True)
class ListingQuery:
    """One listing of /games: its parameters without key, page and page_size."""

    params: tuple[tuple[str, str], ...] = ()

    @classmethod
    def dates(cls, first: str, last: str, ordering: str = "created") -> "ListingQuery":
        """Games released from `first` to `last` (YYYY-MM-DD, both included)."""
        return cls((("dates", f"{first},{last}"), ("ordering", ordering)))

    @classmethod
    def browse(cls, ordering: str) -> "ListingQuery":
        """The whole catalogue, in the order of `ordering` (such as `-updated`)."""
        return cls((("ordering", ordering),))

    @property
    def listing(self) -> str:
        """Listing that is expected to answer; `Page.listing` says which one did."""
        filters = {name for name, _ in self.params} - {"ordering"}
        return layout.FILTERED if filters else layout.BROWSE

    @property
    def name(self) -> str:
        """Short text for windows and messages, such as `dates=2020-01-01,2020-12-31`."""
        shown = [f"{name}={value}" for name, value in self.params]
        return "&".join(shown) or layout.BROWSE


class RowHead(Struct, frozen=True, rename={"natural_id": "id"}):
    """What the crawl itself needs of a row; None where the row lacks it or has a wrong type."""

    natural_id: Annotated[int, Meta(ge=1, le=_MAX_INT64)] | None
    updated: str | None
    released: str | None
    score: Raw = _ABSENT  # only the filtered listing has it


@dataclass(frozen=True)
class Page:
    """One answered page of a listing."""

    query: ListingQuery
    number: int
    count: int  # the source's own total for the query; 0 when past_end
    rows: tuple[RowHead, ...]  # one for each row, in order, broken rows included
    results: bytes  # JSON array of the rows, verbatim but free of the key
    listing: str  # layout.BROWSE or layout.FILTERED, as answered
    has_next: bool
    past_end: bool  # the source said that there is no such page
    years: tuple[tuple[int, int], ...] = ()  # (release year, games); the browse listing's page 1


class PageUnreadable(SourceError):  # noqa: N818 - named like the tree it belongs to
    """A page that gave no readable answer although the source is up."""

    code = "unreadable"

    def __init__(self, query: ListingQuery, number: int, reason: str, excerpt: str) -> None:
        super().__init__(
            f"page {number} of {query.name} stayed unreadable: {reason}",
            operation="fetch page",
            subject=f"{query.name} page {number}",
            hint="what was read is stored; the next ingest tries this page again",
        )
        self.query = query
        self.number = number
        self.reason = reason
        self.excerpt = excerpt


class KeyEraser:
    """Takes the key out of what RAWG sent, in the forms in which a URL or JSON holds it.

    A long key goes wherever it stands. A short one only as a parameter: a key of a few letters
    would be part of ordinary words.
    """

    def __init__(self, key: str) -> None:
        texts = {key, quote(key, safe=""), quote_plus(key), json.dumps(key)[1:-1]} if key else set()
        prefix = b"" if len(key) >= _LONG_KEY else b"key="
        longest_first = sorted(texts, key=lambda text: (-len(text), text))
        self._forms = tuple(prefix + text.encode() for text in longest_first)

    def __call__(self, text: bytes) -> bytes:
        """Return `text` without the key."""
        for form in self._forms:
            if form in text:
                text = text.replace(form, b"REDACTED")
        return text


class _Envelope(Struct):
    count: Annotated[int, Meta(ge=0, le=_MAX_INT64)] = 0
    results: Raw = _ABSENT
    next: Any = None
    detail: Any = None
    user_platforms: Raw = _ABSENT  # only the filtered listing has it
    seo_title: Raw = _ABSENT  # only the browse listing has it
    filters: Raw = _ABSENT  # only the browse listing has it


class _Year(Struct):
    year: Annotated[int, Meta(ge=1, le=9999)]
    count: Annotated[int, Meta(ge=0, le=_MAX_INT64)]


class _Decade(Struct):
    years: list[_Year]


class _Filters(Struct):
    years: list[_Decade]


class _Head(Struct):
    id: Any = None
    updated: Any = None
    released: Any = None
    score: Raw = _ABSENT


_ENVELOPE = msgspec.json.Decoder(_Envelope)
_CLEAN_HEADS = msgspec.json.Decoder(tuple[RowHead, ...])
_HEAD = msgspec.json.Decoder(_Head)
_FILTERS = msgspec.json.Decoder(_Filters)


def read_page(answer: Answer, query: ListingQuery, number: int, *, erase: KeyEraser) -> Page:
    """Read page `number` of `query`; ValueError when the answer is no page of a listing.

    Only RAWG's own words end a listing: a 404 of something in between does not.
    """
    if answer.status == 404 and number == 1:
        raise no_api(query.name)
    envelope = _read_envelope(answer.body)
    results = bytes(envelope.results)
    if not results:
        if envelope.detail is None or number == 1:
            raise ValueError("the answer has no results")
        return Page(query, number, 0, (), b"[]", query.listing, has_next=False, past_end=True)
    if answer.status != 200:
        raise ValueError(f"results with HTTP {answer.status}")
    results = erase(results)
    heads = _read_heads(results)
    return Page(
        query,
        number,
        envelope.count,
        heads,
        results,
        _listing(envelope, heads, query.listing),
        has_next=envelope.next is not None,
        past_end=False,
        years=_read_years(bytes(envelope.filters)) if number == 1 else (),
    )


def _read_envelope(body: bytes) -> _Envelope:
    try:
        return _ENVELOPE.decode(body)
    except msgspec.ValidationError:
        raise
    except (msgspec.DecodeError, RecursionError):
        # One row with half a surrogate pair must not cost the other 39.
        parts = json_slices.members(body)
        results = parts.pop("results", b"")
        envelope = _ENVELOPE.decode(json_slices.joined(parts))
        envelope.results = Raw(results)
        return envelope


def _read_heads(results: bytes) -> tuple[RowHead, ...]:
    try:
        return _CLEAN_HEADS.decode(results)
    except (ValueError, RecursionError):
        return tuple(_read_head(row) for row in json_slices.elements(results))


def _read_head(row: bytes) -> RowHead:
    try:
        head = _HEAD.decode(row)
    except (ValueError, RecursionError):
        return RowHead(None, None, None)
    natural_id = head.id if type(head.id) is int and 0 < head.id <= _MAX_INT64 else None
    return RowHead(natural_id, _text(head.updated), _text(head.released), head.score)


def _read_years(filters: bytes) -> tuple[tuple[int, int], ...]:
    """Return the games of each release year; nothing when they are not said, or not clearly."""
    try:
        decades = _FILTERS.decode(filters).years
    except (ValueError, RecursionError):
        return ()
    counts = [(entry.year, entry.count) for decade in decades for entry in decade.years]
    return tuple(counts) if len(dict(counts)) == len(counts) else ()


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None


def _listing(envelope: _Envelope, heads: tuple[RowHead, ...], expected: str) -> str:
    if bytes(envelope.user_platforms) or any(bytes(head.score) for head in heads):
        return layout.FILTERED
    return layout.BROWSE if bytes(envelope.seo_title) else expected
