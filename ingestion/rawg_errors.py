"""What the RAWG client raises, in one voice; none of it holds the key."""

from utils.errors import QuotaSpent, SourceError


def quota_spent(answered: str) -> QuotaSpent:
    """The source says that the month's requests are used up."""
    return QuotaSpent(
        f"RAWG refuses more requests this month: {answered}",
        operation="fetch",
        subject="quota",
        hint="what was read is stored; run the same command again when the quota is renewed",
    )


def refused(answered: str) -> SourceError:
    """The source does not accept the key."""
    return SourceError(
        f"RAWG does not accept the API key: {answered}",
        operation="fetch",
        subject="RAWG_API_KEY",
        hint="check RAWG_API_KEY; a key is free at https://rawg.io/apidocs",
    )


def unreachable(host: str, reason: str) -> SourceError:
    """No request was ever answered."""
    return SourceError(
        f"no usable answer from {host}: {reason}",
        operation="fetch",
        subject=host,
        hint="check the network and RAWG_BASE_URL, then run the same command again",
    )


def down(host: str, reason: str) -> SourceError:
    """The source answered before and now only fails, page after page."""
    return SourceError(
        f"{host} answers nothing but errors: {reason}",
        operation="fetch",
        subject=host,
        hint="what was read is stored; run the same command again later",
    )


def no_api(subject: str) -> SourceError:
    """The server is up but knows no such listing."""
    return SourceError(
        f"the server answers 404 to {subject}",
        operation="fetch",
        subject="RAWG_BASE_URL",
        hint="RAWG_BASE_URL must end in /api",
    )
