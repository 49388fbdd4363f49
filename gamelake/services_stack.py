"""Probes of the stack that log in and look inside: buckets, warehouse, Dremio's sources."""

from functools import partial
from typing import Any
from urllib.parse import urlsplit

import requests

from serving.dremio_client import DremioClient
from serving.dremio_text import NESSIE, RAW
from storage.layout import MAIN, NAMESPACE
from storage.minio_http import MinioAddress, parse_address
from storage.minio_probe import BucketAccess, probe_bucket, probe_object
from storage.minio_roles import role_with
from utils.check_services import start, without_login
from utils.config import Settings
from utils.errors import ServiceDown
from utils.probing import TIMEOUT_S, Finding, Known, Probe


def stack_probes(settings: Settings) -> list[Probe]:
    """Return the probes of buckets, of the warehouse behind Nessie, and of Dremio's sources."""
    buckets = {"raw": settings.minio_raw_bucket, "warehouse": settings.minio_warehouse_bucket}
    return [
        *(
            Probe(
                f"bucket {use}", f"s3://{name}", partial(_bucket, settings, name), needs=("minio",)
            )
            for use, name in buckets.items()
        ),
        Probe(
            "warehouse",
            without_login(settings.nessie_uri),
            partial(_warehouse, settings),
            needs=("minio", "nessie", "bucket warehouse"),
            hint=start("nessie"),
        ),
        Probe(
            "dremio sources",
            without_login(settings.dremio_url),
            partial(_sources, settings),
            needs=("dremio", "minio", "nessie"),
            hint="gamelake dremio-setup",
        ),
    ]


def _minio(settings: Settings) -> MinioAddress:
    return parse_address(
        settings.minio_endpoint,
        settings.minio_access_key.get_secret_value(),
        settings.minio_secret_key.get_secret_value(),
    )


def _bucket(settings: Settings, name: str, _: Known) -> Finding:
    """See what our user may do; less than all is fine when it is what its task is meant to do."""
    found = _access(settings, name)
    said = _said(found)
    if len(found.rights) == 2:
        return Finding(said)
    both = (settings.minio_raw_bucket, settings.minio_warehouse_bucket)
    access = (found if bucket == name else _access(settings, bucket) for bucket in both)
    role = role_with(*(one.rights for one in access))
    if role is None:
        hint = "give the user of MINIO_ACCESS_KEY the rights of its task: make up does"
        return Finding(f"MinIO denies access: {said}", "down", hint)
    return Finding(f"{said}, as {role.user} is meant to", "up" if found.rights else "unset")


def _access(settings: Settings, bucket: str) -> BucketAccess:
    return probe_bucket(_minio(settings), bucket, timeout_s=TIMEOUT_S)


def _said(found: BucketAccess) -> str:
    match sorted(found.rights):
        case []:
            return "may neither read nor write"
        case [right]:
            return f"may only {right}"
    return "empty, can be written" if found.empty else "can be read and written"


def _warehouse(settings: Settings, _: Known) -> Finding:
    """See that Nessie writes tables into our bucket, and that we can read where they lie."""
    uri = settings.nessie_uri.rstrip("/")
    named = str(_json(f"{uri}/iceberg/v1/config").get("defaults", {}).get("warehouse", ""))
    if urlsplit(named).netloc != settings.minio_warehouse_bucket:
        said = (
            f"Nessie's warehouse is {named or 'none'}, ours s3://{settings.minio_warehouse_bucket}"
        )
        hint = "give MINIO_WAREHOUSE_BUCKET the bucket that Nessie is configured with"
        return Finding(said, "down", hint)
    query = f"content=true&filter=entry.namespace=='{NAMESPACE}'"
    entries = _json(f"{uri}/api/v2/trees/{MAIN}/entries?{query}").get("entries", [])
    contents = (entry.get("content") or {} for entry in entries)
    places = [str(one["metadataLocation"]) for one in contents if "metadataLocation" in one]
    if not places:
        return Finding(f"{named}, no table yet", hint="gamelake run")
    place = urlsplit(places[0])
    probe_object(_minio(settings), place.netloc, place.path.lstrip("/"), timeout_s=TIMEOUT_S)
    return Finding(f"{named}, {len(places)} tables can be read")


def _json(url: str) -> dict[str, Any]:
    response = requests.get(url, timeout=TIMEOUT_S, allow_redirects=False)
    if response.status_code != 200:
        raise _strange(url, f"answers {response.status_code}")
    try:
        found = response.json()
    except requests.JSONDecodeError:
        found = None
    if not isinstance(found, dict):
        raise _strange(url, "what answers is not Nessie")
    return found


def _strange(url: str, what: str) -> ServiceDown:
    return ServiceDown(what, operation="ask Nessie", subject=url, hint=start("nessie"))


def _sources(settings: Settings, _: Known) -> Finding:
    user, password = settings.dremio_user, settings.dremio_password.get_secret_value()
    if not user or not password:
        hint = "set DREMIO_USER and DREMIO_PASSWORD"
        return Finding("no user to look with", "unset", hint)
    with DremioClient(settings.dremio_url, timeout_s=(TIMEOUT_S, TIMEOUT_S)) as client:
        if not client.login(user, password):
            return Finding("Dremio has no user yet", "down", "gamelake dremio-setup")
        states = {name: _source_state(client, name) for name in (NESSIE, RAW)}
    said = ", ".join(f"{name}: {state}" for name, state in states.items())
    if all(state == "good" for state in states.values()):
        return Finding(said)
    return Finding(said, "down", "gamelake dremio-setup; docker compose logs dremio")


def _source_state(client: DremioClient, name: str) -> str:
    found = client.find([name])
    if found is None:
        return "absent"
    state = found.get("state") or {}
    return str(state.get("status", "unknown"))
