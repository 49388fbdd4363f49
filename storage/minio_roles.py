"""The users of the object store, one for each task, and what each may do in which bucket."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

Right = Literal["read", "write"]  # reading includes listing
Rights = frozenset[Right]
_READ = ("s3:GetObject",)
# Raw is append-only, so who writes it may not delete. That nothing is replaced is the store's
# doing (storage/minio_http.py): S3 has no right for creating alone.
_APPEND = (*_READ, "s3:PutObject", "s3:AbortMultipartUpload", "s3:ListMultipartUploadParts")
_CHANGE = (*_APPEND, "s3:DeleteObject")
_LIST = ("s3:GetBucketLocation", "s3:ListBucket", "s3:ListBucketMultipartUploads")


@dataclass(frozen=True, eq=False)
class Role:
    """A user of the object store, whose login is in MINIO_<name>_ACCESS_KEY and _SECRET_KEY.

    `rights` maps the variable that names a bucket to actions on that bucket's objects.
    """

    name: str
    rights: Mapping[str, Sequence[str]]

    @property
    def user(self) -> str:
        """Return what its policy is called, and in docker-compose.yml its user too."""
        return f"gamelake-{self.name.lower()}"

    def may(self, variable: str) -> Rights:
        """Return what it may do in the bucket that `variable` names."""
        actions = self.rights.get(variable, ())
        proofs: dict[Right, str] = {"read": "s3:GetObject", "write": "s3:PutObject"}
        return frozenset(right for right, action in proofs.items() if action in actions)


RAW, WAREHOUSE = "MINIO_RAW_BUCKET", "MINIO_WAREHOUSE_BUCKET"
ROLES = (
    Role("INGEST", {RAW: _APPEND}),
    Role("ETL", {RAW: _READ, WAREHOUSE: _CHANGE}),
    Role("ANALYST", {RAW: _READ, WAREHOUSE: _READ}),
    Role("NESSIE", {WAREHOUSE: _CHANGE}),
    # Whoever runs both commands with one key: the host's gamelake, and the schedule.
    Role("GAMELAKE", {RAW: _APPEND, WAREHOUSE: _CHANGE}),
)


def policy(role: Role, buckets: Mapping[str, str]) -> dict[str, Any]:
    """Return the policy document of `role`, which allows what it names and nothing else."""
    statements = []
    for variable, actions in role.rights.items():
        arn = f"arn:aws:s3:::{buckets[variable]}"
        statements.append({"Effect": "Allow", "Action": [*_LIST], "Resource": [arn]})
        statements.append({"Effect": "Allow", "Action": [*actions], "Resource": [f"{arn}/*"]})
    return {"Version": "2012-10-17", "Statement": statements}


def role_with(raw: Rights, warehouse: Rights) -> Role | None:
    """Return the role that is meant to do exactly this; None when nobody is."""
    meant = ((role.may(RAW), role.may(WAREHOUSE)) for role in ROLES)
    return dict(zip(meant, ROLES, strict=True)).get((raw, warehouse))
