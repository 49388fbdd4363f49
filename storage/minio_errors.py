"""What MinIO's refusals and silences mean, as errors of ours; no secret is in their texts."""

from collections.abc import Iterator
from contextlib import contextmanager
from xml.etree.ElementTree import ParseError

from minio.error import InvalidResponseError, MinioException, S3Error, ServerError
from urllib3 import exceptions as http

from utils.errors import GamelakeError, ServiceDown, UsageError

_KEYS = "check MINIO_ACCESS_KEY and MINIO_SECRET_KEY"
_ENDPOINT = (
    "check MINIO_ENDPOINT: it must be MinIO's S3 port (9000), not its console, and https:// "
    "where MinIO has a certificate"
)
_AGAIN = "the same command continues"

# What the server may say: the error class, what it means, and what to do.
_CODES: dict[str, tuple[type[GamelakeError], str, str]] = {
    "InvalidAccessKeyId": (UsageError, "does not know the access key", _KEYS),
    "SignatureDoesNotMatch": (UsageError, "does not accept the secret key", _KEYS),
    "AuthorizationHeaderMalformed": (
        UsageError,
        "has another region than us-east-1",
        "leave MINIO_REGION of the server unset",
    ),
    "NoSuchBucket": (
        UsageError,
        "has no such bucket",
        "`make up` creates it; its name is MINIO_RAW_BUCKET or MINIO_WAREHOUSE_BUCKET",
    ),
    "AccessDenied": (
        ServiceDown,
        "denies access",
        f"{_KEYS}, and that this user's policy allows it; {_AGAIN}",
    ),
    "NoSuchUpload": (ServiceDown, "dropped the upload", _AGAIN),
    "RequestTimeTooSkewed": (
        ServiceDown,
        "has another time than this machine",
        f"set both clocks; {_AGAIN}",
    ),
    "XMinioStorageFull": (ServiceDown, "has no space left", f"free space on its disk; {_AGAIN}"),
}


@contextmanager
def minio_errors(address: object, operation: str, subject: str) -> Iterator[None]:
    """Turn what minio-py and urllib3 raise into ServiceDown or UsageError."""
    try:
        yield
    except S3Error as error:
        raise _refusal(error, address, operation=operation, subject=subject) from None
    except (http.HTTPError, MinioException, ParseError) as error:
        raise ServiceDown(
            f"MinIO at {address} does not answer: {_reason(error)}",
            operation=operation,
            subject=str(address),
            hint=f"start MinIO (`make up`) or {_ENDPOINT}; {_AGAIN}",
        ) from None


def code_of(error: S3Error) -> str:
    """Return S3's error code; the answer to a HEAD has no body, so MinIO repeats it in a header."""
    return error.response.headers.get("x-minio-error-code") or error.code or ""


def _refusal(error: S3Error, address: object, *, operation: str, subject: str) -> GamelakeError:
    code = code_of(error)
    kind, meaning, hint = _CODES.get(
        code, (ServiceDown, f"refused with {code}", f"read MinIO's log; {_AGAIN}")
    )
    message = f"MinIO at {address} {meaning}: {subject}"
    return kind(message, operation=operation, subject=subject, hint=hint)


def _reason(error: Exception) -> str:
    cause = error.reason if isinstance(error, http.MaxRetryError) and error.reason else error
    for kind, reason in _REASONS:
        if isinstance(cause, kind):
            return reason
    return type(cause).__name__


_REASONS: tuple[tuple[type[Exception], str], ...] = (
    (http.NameResolutionError, "its name is not known"),
    (http.NewConnectionError, "the connection was refused"),
    (http.ConnectTimeoutError, "no connection in time"),
    (http.ReadTimeoutError, "no answer in time"),
    (http.SSLError, "TLS failed (a certificate that is not trusted, or no TLS on that port)"),
    (http.ProtocolError, "the connection broke"),
    (ServerError, "the server failed"),
    (InvalidResponseError, "what answers there is not MinIO"),
    (ParseError, "what answers there is not MinIO"),
)
