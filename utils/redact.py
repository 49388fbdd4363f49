"""Keeping secrets out of every text we write."""

import base64
import json
import logging
import re
from collections.abc import Iterator, Sequence
from urllib.parse import quote, quote_plus

MASK = "***"
_SHORTEST = 4  # a key of a letter or two, as in a trial, would blacken every word

# RAWG echoes the key in `next`, and HTTP errors print the whole URL, or one URL inside another.
_START = r"(?i)((?:(?<![a-z])|(?<=%3F)|(?<=%26))key"
_KEY_PARAMETERS = (
    re.compile(_START + r"=)[^&\s\"'<>)\]}]+"),
    re.compile(_START + r"%3D)(?:(?!%26)[^&\s\"'<>)\]}])+"),
)


class Redactor:
    """Replaces secrets in text: plain, URL-encoded, JSON-escaped, base64, and `key=` values."""

    def __init__(self, secrets: Sequence[str]) -> None:
        kept = [secret for secret in secrets if len(secret) >= _SHORTEST]
        longest_first = sorted(kept, key=lambda secret: (-len(secret), secret))
        patterns = [pattern for secret in longest_first for pattern in _patterns(secret)]
        self._secrets = re.compile("|".join(patterns), re.IGNORECASE) if patterns else None
        self._anchors = {anchor for secret in longest_first for anchor in _anchors(secret)}

    def __call__(self, text: str) -> str:
        """Return `text` without secrets."""
        if self._secrets is not None:
            text = self._secrets.sub(MASK, text)
        for parameter in _KEY_PARAMETERS:
            text = parameter.sub(rf"\g<1>{MASK}", text)
        return text

    def finds_secret(self, text: str) -> bool:
        """Return whether one of the secrets stands in `text`, in any of its forms."""
        lowered = text.lower()
        if self._secrets is None or not any(anchor in lowered for anchor in self._anchors):
            return False
        return self._secrets.search(text) is not None


class RedactingFormatter(logging.Formatter):
    """Redacts the finished line: message, arguments, traceback and every chained cause."""

    def __init__(self, form: str, redact: Redactor) -> None:
        super().__init__(form)
        self._redact = redact

    def format(self, record: logging.LogRecord) -> str:
        """Return the record as text without secrets."""
        return self._redact(super().format(record))


def _anchors(secret: str) -> Iterator[str]:
    """Yield lower-case texts of which every form of the secret holds one.

    No encoding touches ASCII letters and digits, so the longest run of them stands in all forms
    but base64. Looking for these first makes a search of gigabytes quick.
    """
    yield max(re.findall(r"[a-z0-9]*", secret.lower()), key=len)
    yield from (core.lower() for core in _base64_cores(secret.encode()))


def _patterns(secret: str) -> Iterator[str]:
    yield "".join(_character(character) for character in secret)
    yield from (re.escape(core) for core in _base64_cores(secret.encode()))


def _character(character: str) -> str:
    """Return a pattern for one character as text, URLs (also twice encoded), JSON and repr."""
    encoded = quote(character, safe="")
    forms = {
        character,
        encoded,
        quote(encoded, safe=""),
        quote_plus(character),
        json.dumps(character)[1:-1],
        repr(character)[1:-1],
    }
    longest_first = sorted(forms, key=lambda form: (-len(form), form))
    return f"(?:{'|'.join(re.escape(form) for form in longest_first)})"


def _base64_cores(secret: bytes) -> Iterator[str]:
    """Yield the characters that the secret alone decides, at each of its three alignments.

    `user:secret` encodes the secret at an offset, so its own encoding would not be found.
    """
    for offset in range(3):
        padded = bytes(offset) + secret
        first = -(-offset * 8 // 6)  # the first character without a bit of what stands before
        last = len(padded) * 8 // 6  # those after it hold a bit of what follows
        for encode in (base64.b64encode, base64.urlsafe_b64encode):
            core = encode(padded).decode()[first:last]
            if len(core) >= 4:  # shorter ones would hit innocent words
                yield core
