"""Cut JSON into its parts, each exactly as it was sent, whatever those parts hold.

What a strict parser refuses (half a surrogate pair, bytes that are no UTF-8, nesting of any depth)
stays in its own part instead of spoiling its neighbours. Parts are found, not validated. What is
no array (or object), is cut short or goes on after its end raises ValueError.
"""

import json
import re
from collections.abc import Iterator, Mapping
from functools import lru_cache

import msgspec
from msgspec import Raw

_TOKEN = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"|["\[\]{},:]', re.DOTALL)
_SPACE = " \t\r\n"
_array = msgspec.json.Decoder(list[Raw])
_object = msgspec.json.Decoder(dict[str, Raw])
_name = json.JSONDecoder(strict=False)


def elements(data: bytes) -> list[bytes]:
    """Return each element of the JSON array `data`."""
    try:
        return [bytes(part) for part in _array.decode(data)]
    except (ValueError, RecursionError):
        return _slow_elements(_text(data))


def members(data: bytes) -> dict[str, bytes]:
    """Return name -> value for the JSON object `data`; of a repeated name the last."""
    try:
        return {name: bytes(part) for name, part in _object.decode(data).items()}
    except (ValueError, RecursionError):
        return _slow_members(_text(data))


def joined(fields: Mapping[str, bytes]) -> bytes:
    """Return the JSON object of these names and values: the way back from `members`."""
    return b"{" + b",".join([_named(name) + value for name, value in fields.items()]) + b"}"


@lru_cache(maxsize=1024)
def _named(name: str) -> bytes:
    return json.dumps(name).encode() + b":"


def _slow_elements(text: str) -> list[bytes]:
    if not text.startswith("["):
        raise ValueError("not a JSON array")
    return [_bytes(text[start:end]) for start, _, end in _parts(text)]


def _slow_members(text: str) -> dict[str, bytes]:
    if not text.startswith("{"):
        raise ValueError("not a JSON object")
    found = {}
    for start, colon, end in _parts(text):
        name = None if colon is None else _name.decode(text[start:colon].strip(_SPACE))
        if not isinstance(name, str):
            raise ValueError("a member without a name")
        found[name] = _bytes(text[(colon or start) + 1 : end])
    return found


def _text(data: bytes) -> str:
    # Bytes that are no UTF-8 pass as lone surrogates and come back as they were.
    return data.decode("utf-8", "surrogateescape").strip(_SPACE)


def _bytes(text: str) -> bytes:
    return text.strip(_SPACE).encode("utf-8", "surrogateescape")


def _parts(text: str) -> Iterator[tuple[int, int | None, int]]:
    """Yield (start, first colon, end) of each part one level deep; empty containers have none."""
    depth, start, colon = 0, 0, None
    for match in _TOKEN.finditer(text):
        mark, at = match[0], match.start()
        if mark in "[{":
            depth += 1
            start = at + 1 if depth == 1 else start
        elif mark in "]}":
            depth -= 1
        elif mark == '"':
            raise ValueError("a string without an end")
        elif mark == ":" and depth == 1 and colon is None:
            colon = at
        if depth == 0 or (mark == "," and depth == 1):
            if mark == "," or text[start:at].strip(_SPACE):
                yield start, colon, at
            start, colon = at + 1, None
        if depth == 0:
            break
    if depth != 0 or text[start:].strip(_SPACE):
        raise ValueError("JSON that is cut short or goes on after its end")
