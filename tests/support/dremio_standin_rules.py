"""Which bodies Dremio takes, field by field; everything else is 400, as its JSON reader does."""

import re
from typing import Any

MASKED = "$DREMIO_EXISTING_VALUE$"
Body = dict[str, Any]

NESSIE_FIELDS = {
    *("nessieEndpoint", "nessieAccessToken", "nessieAuthType", "credentialType", "awsProfile"),
    *("oauth2ClientId", "oauth2ClientSecret", "oauth2TokenEndpointURI", "secure"),
    *("awsAccessKey", "awsAccessSecret", "awsRootPath", "propertyList", "assumedRoleARN"),
    *("asyncEnabled", "isCachingEnabled", "maxCacheSpacePct", "storageProvider"),
    *("defaultCtasFormat", "azureStorageAccount", "azureRootPath", "azureAccessKey"),
}
S3_FIELDS = {
    *("credentialType", "awsProfile", "accessKey", "accessSecret", "secure", "rootPath"),
    *("externalBucketList", "whitelistedBuckets", "propertyList", "enableAsync"),
    *("compatibilityMode", "isCachingEnabled", "maxCacheSpacePct", "assumedRoleARN"),
    *("kmsKeyARN", "requesterPays", "enableFileStatusCheck", "defaultCtasFormat"),
    "isPartitionInferenceEnabled",
}
POLICY_FIELDS = {
    *("authTTLMs", "namesRefreshMs", "datasetRefreshAfterMs", "datasetExpireAfterMs"),
    *("datasetUpdateMode", "deleteUnavailableDatasets", "autoPromoteDatasets"),
}
USER_FIELDS = {"userName", "firstName", "lastName", "email", "createdAt", "password"}
SECRET_FIELDS = {"NESSIE": "awsAccessSecret", "S3": "accessSecret"}
_KEY_FIELDS = {"NESSIE": "awsAccessKey", "S3": "accessKey"}
_FIELDS = {"NESSIE": NESSIE_FIELDS, "S3": S3_FIELDS}
_ROOT = {"NESSIE": "awsRootPath", "S3": "rootPath"}
_ROOT_PATH = re.compile(r"^/?[a-z0-9][a-z0-9.-]*(/[^/]+)*/?$")
_NAME = re.compile(r'^[^."@]+$')
_PASSWORD = re.compile(r"(?=.*[0-9])(?=.*[a-zA-Z]).{8,}", re.ASCII)


class RefusedError(Exception):
    """An answer other than 200."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message


def only(body: Body, fields: set[str], what: str) -> None:
    """Refuse fields that Dremio's classes do not have."""
    unknown = sorted(body.keys() - fields)
    if unknown:
        raise RefusedError(
            400, f'Unrecognized field "{unknown[0]}" ({what}), not marked as ignorable'
        )


def check_first_user(body: Body) -> None:
    """Refuse a first user that SimpleUserService would not take."""
    only(body, USER_FIELDS, "UserForm")
    if body.keys() != USER_FIELDS or not _PASSWORD.fullmatch(body["password"]):
        raise RefusedError(
            400, "Invalid password: must be at least 8 letters long, a number, a letter"
        )


def check_name(body: Body) -> None:
    """Refuse names with periods, double quotes or @."""
    if not body.get("name") or not _NAME.match(body["name"]):
        raise RefusedError(
            400, f"{body.get('name')!r} can not contain periods, double quotes or @."
        )


def check_source(body: Body, *, new: bool) -> None:
    """Refuse what ConnectionConf's strict reader, its validators or SourceService refuse."""
    check_name(body)
    kind, config = body.get("type"), body.get("config")
    if kind not in _FIELDS:
        raise RefusedError(400, f"An invalid value was found: {kind}")
    if not isinstance(config, dict):
        raise RefusedError(400, "config may not be null")
    only(config, _FIELDS[kind], kind)
    if config.get("credentialType") != "ACCESS_KEY":
        raise RefusedError(400, "credentialType may not be null")
    if not _ROOT_PATH.match(config.get(_ROOT[kind], "")):
        raise RefusedError(400, "Invalid AWS root path")
    for prop in config.get("propertyList", []):
        only(prop, {"name", "value"}, "Property")
    _check_secret(kind, config, new=new)
    _check_policy(body.get("metadataPolicy"))


def _check_secret(kind: str, config: Body, *, new: bool) -> None:
    secret = config.get(SECRET_FIELDS[kind])
    if not config.get(_KEY_FIELDS[kind]) or not secret:
        raise RefusedError(400, "Access key and secret are required")
    if new and secret == MASKED:
        raise RefusedError(400, "there is no existing value to use")


def _check_policy(policy: Body | None) -> None:
    if policy is None:
        return
    only(policy, POLICY_FIELDS, "MetadataPolicy")
    if not policy.get("datasetUpdateMode"):
        raise RefusedError(400, "datasetUpdateMode may not be null")
    for name, value in policy.items():
        if name.endswith("Ms") and value < 60_000:
            raise RefusedError(400, f"{name} must be greater than or equal to 60000")


def state_of(body: Body, keys: dict[str, str]) -> Body:
    """Return what Dremio finds when it tries the source: good, or bad and why."""
    problem = _problem(body["type"], body["config"], keys)
    messages = [{"level": "ERROR", "message": problem}] if problem else []
    return {"status": "bad" if problem else "good", "messages": messages}


def _problem(kind: str, config: Body, keys: dict[str, str]) -> str:
    properties = {p["name"]: p["value"] for p in config.get("propertyList", [])}
    endpoint = properties.get("fs.s3a.endpoint", "s3.amazonaws.com")
    compatible = "true" in (properties.get("dremio.s3.compat"), config.get("compatibilityMode"))
    secret = config[SECRET_FIELDS[kind]]
    told = {
        "Unable to connect to the Nessie server": kind == "NESSIE"
        and config.get("nessieEndpoint") != "http://nessie:19120/api/v2",
        "Invalid bearer token": kind == "NESSIE" and config.get("nessieAuthType") != "NONE",
        "Unsupported or unrecognized SSL message": config.get("secure", True),
        f"Unable to reach http://{endpoint}": endpoint != "minio:9000",
        "UnknownHostException": properties.get("fs.s3a.path.style.access") != "true",
        "GetCallerIdentity: the security token is invalid": not compatible,
        "The request signature does not match": keys.get(config[_KEY_FIELDS[kind]]) != secret,
    }
    return next((problem for problem, present in told.items() if present), "")
