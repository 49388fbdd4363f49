"""Makes the buckets and the least-privilege users of the stack; `python -m storage.minio_setup`.

docker-compose.yml runs it once MinIO is healthy. Repeating it changes nothing but what differs:
a user whose secret was changed in `.env` gets the new one.
"""

import os
import sys
from collections.abc import Mapping

from minio.credentials.providers import StaticProvider
from minio.error import MinioAdminException
from minio.minioadmin import MinioAdmin

from storage.minio_bucket import make_bucket
from storage.minio_errors import minio_errors
from storage.minio_http import parse_address
from storage.minio_roles import RAW, ROLES, WAREHOUSE, Role, policy
from utils.errors import GamelakeError, ServiceDown, UsageError, exit_code
from utils.seams import operation


def set_up(environ: Mapping[str, str]) -> list[str]:
    """Make buckets, policies and users; return what is there now, one line each.

    `environ`: MINIO_ENDPOINT, MINIO_ROOT_USER, MINIO_ROOT_PASSWORD, the two bucket names, and
    MINIO_<ROLE>_ACCESS_KEY and _SECRET_KEY of every role. Raises UsageError naming a variable
    that is missing, ServiceDown when MinIO does not answer or refuses.
    """
    buckets = {name: _value(environ, name) for name in (RAW, WAREHOUSE)}
    users = {role: _login(environ, f"MINIO_{role.name}") for role in ROLES}
    root = _value(environ, "MINIO_ROOT_USER"), _value(environ, "MINIO_ROOT_PASSWORD")
    endpoint = _value(environ, "MINIO_ENDPOINT")
    for bucket in buckets.values():
        make_bucket(endpoint, *root, bucket)
    address = parse_address(endpoint, *root)
    admin = MinioAdmin(
        endpoint=address.host, credentials=StaticProvider(*root), secure=address.secure
    )
    done = [f"bucket {bucket}" for bucket in buckets.values()]
    for role, login in users.items():
        with minio_errors(address, "set up a user", login[0]):
            done.append(_make_user(admin, role, login, buckets))
    return done


def _make_user(
    admin: MinioAdmin, role: Role, login: tuple[str, str], buckets: Mapping[str, str]
) -> str:
    """Create or correct one user; its policy carries the role's name and replaces any other."""
    try:
        with operation("store.user"):
            admin.policy_add(role.user, policy=policy(role, buckets))
            admin.user_add(*login)
            admin.policy_set(role.user, user=login[0])
    except MinioAdminException as error:
        raise ServiceDown(
            f"MinIO refuses to make the user {login[0]}: {error}",
            operation="set up a user",
            subject=login[0],
            hint="is MINIO_ROOT_PASSWORD the one that MinIO was started with?",
        ) from error
    return f"user {login[0]}: policy {role.user}"


def _login(environ: Mapping[str, str], prefix: str) -> tuple[str, str]:
    return _value(environ, f"{prefix}_ACCESS_KEY"), _value(environ, f"{prefix}_SECRET_KEY")


def _value(environ: Mapping[str, str], name: str) -> str:
    if value := environ.get(name, "").strip():
        return value
    raise UsageError(
        f"{name} is not set",
        operation="set up MinIO",
        subject=name,
        hint="`make up` writes it to .env",
    )


def main() -> int:
    """Run with this process's environment; return the exit code of DESIGN section 3."""
    try:
        done = set_up(os.environ)
    except GamelakeError as error:
        sys.stderr.write(f"{error.message}\n{error.hint}\n")
        return exit_code(error)
    sys.stdout.write("".join(f"{line}\n" for line in done))
    return 0


if __name__ == "__main__":
    sys.exit(main())
