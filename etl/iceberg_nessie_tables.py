"""pyiceberg's REST catalog on one branch of Nessie, with our time limits and our files."""

import json
from collections.abc import Mapping
from typing import Any

from pyiceberg.catalog.rest import RestCatalog
from pyiceberg.exceptions import NamespaceAlreadyExistsError
from pyiceberg.io import FileIO
from pyiceberg.table import CommitTableResponse, Table
from pyiceberg.table.update import TableRequirement, TableUpdate
from pyiceberg.typedef import EMPTY_DICT, Properties
from requests import PreparedRequest, Response, Session
from typing_extensions import override

from etl.iceberg_nessie_http import Patience, PatientAdapter
from storage.layout import NAMESPACE
from utils.seams import operation


class NessieTables(RestCatalog):
    """The tables of one branch; reads and writes files through `io` whatever Nessie proposes.

    Nessie sends a file implementation, an endpoint and a region with every table, and pyiceberg
    lets them overrule ours. But the endpoint is the one that Nessie itself uses, which in Compose
    is a name that only containers know.
    """

    def __init__(self, patience: Patience, branch: str, io: FileIO) -> None:
        self._patience = patience
        self._io = io
        super().__init__(branch, uri=f"{patience.uri}/iceberg/{branch}")

    @override
    def _create_session(self) -> Session:
        session = super()._create_session()
        for scheme in ("http://", "https://"):
            session.mount(scheme, _TableRequests(self._patience))
        return session

    @override
    def _load_file_io(
        self, properties: Properties = EMPTY_DICT, location: str | None = None
    ) -> FileIO:
        return self._io

    @override
    def commit_table(
        self,
        table: Table,
        requirements: tuple[TableRequirement, ...],
        updates: tuple[TableUpdate, ...],
    ) -> CommitTableResponse:
        with operation("catalog.commit"):
            response: CommitTableResponse = super().commit_table(table, requirements, updates)
        return response

    def set_properties(self, properties: Mapping[str, str]) -> None:
        """Set properties of our namespace, which is made if it is not there."""
        with operation("catalog.commit"):
            try:
                self.create_namespace(NAMESPACE, {"exists": "true", **properties})
            except NamespaceAlreadyExistsError:
                if properties:
                    self.update_namespace_properties(NAMESPACE, updates=dict(properties))


class _TableRequests(PatientAdapter):
    """Adds to a new schema its last column's id: pyiceberg leaves it out, as Iceberg allows, but
    Nessie insists on it (projectnessie/nessie#11341).
    """

    @override
    def send(self, request: PreparedRequest, *args: Any, **more: Any) -> Response:
        if isinstance(request.body, bytes) and b'"add-schema"' in request.body:
            request.prepare_body(_with_last_column(request.body), None)
        return super().send(request, *args, **more)


def _with_last_column(commit: bytes) -> bytes:
    asked = json.loads(commit)
    for update in asked["updates"]:
        if update["action"] == "add-schema":
            update["last-column-id"] = max(field["id"] for field in update["schema"]["fields"])
    return json.dumps(asked).encode()
