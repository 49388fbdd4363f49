"""Keeping secrets out of every text we write."""

import base64
import json
import logging
import re
from collections.abc import Iterator, Sequence
from urllib.parse import quote, quote_plus

MASK = "***"

# RAWG echoes the key in `next`, and HTTP errors print the whole URL.
_KEY_PARAMETER = re.compile(r"(?i)(?<![a-z])(key=|key%3D)[^&\s\"'<>)\]}]+")


class Redactor:
    """Replaces secrets in text: plain, URL-encoded, JSON-escaped, base64, and `key=` values."""

    def __init__(self, secrets: Sequence[str]) -> None:
        forms = {form for secret in secrets if secret for form in _forms(secret)}
        longest_first = sorted(forms, key=lambda form: (-len(form), form))
        pattern = "|".join(re.escape(form) for form in longest_first)
        self._secrets = re.compile(pattern, re.IGNORECASE) if pattern else None

    def __call__(self, text: str) -> str:
        """Return `text` without secrets."""
        if self._secrets is not None:
            text = self._secrets.sub(MASK, text)
        return _KEY_PARAMETER.sub(rf"\g<1>{MASK}", text)


class RedactingFormatter(logging.Formatter):
    """Redacts the finished line: message, arguments, traceback and every chained cause."""

    def __init__(self, form: str, redact: Redactor) -> None:
        super().__init__(form)
        self._redact = redact

    def format(self, record: logging.LogRecord) -> str:
        """Return the record as text without secrets."""
        return self._redact(super().format(record))


def _forms(secret: str) -> Iterator[str]:
    yield secret
    yield quote(secret, safe="")
    yield quote(quote(secret, safe=""), safe="")
    yield quote_plus(secret)
    yield repr(secret)[1:-1]
    yield json.dumps(secret)[1:-1]
    yield json.dumps(secret, ensure_ascii=False)[1:-1]
    yield from _base64_cores(secret.encode())


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
