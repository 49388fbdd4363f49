"""Tables of the operational store. Times are ISO text (utils.clock.iso), so they sort as text."""

from typing import Any, ClassVar

from sqlalchemy import JSON, BigInteger, ForeignKey, Index
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from storage.database.column_types import NUMBER, Text


class Base(DeclarativeBase):
    """Root of the models; its metadata is what migrations are compared with."""

    type_annotation_map: ClassVar[dict[type, Any]] = {str: Text(), int: NUMBER}


class Run(Base):
    """One ingest or etl run and where it stands."""

    __tablename__ = "runs"

    run_id: Mapped[str] = mapped_column(primary_key=True)
    kind: Mapped[str]
    state: Mapped[str]
    scope: Mapped[dict[str, Any]] = mapped_column(JSON)
    created_at: Mapped[str]
    started_at: Mapped[str | None]
    finished_at: Mapped[str | None]
    reason: Mapped[str]
    summary: Mapped[dict[str, Any]] = mapped_column(JSON)

    __table_args__ = (Index("ix_runs_kind_state", "kind", "state"),)


class RunTransition(Base):
    """Every change of a run's state."""

    __tablename__ = "run_transitions"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    run_id: Mapped[str] = mapped_column(ForeignKey("runs.run_id"), index=True)
    from_state: Mapped[str | None]
    to_state: Mapped[str]
    at: Mapped[str]
    reason: Mapped[str]


class Window(Base):
    """One window of a run's plan and how far it was read."""

    __tablename__ = "run_windows"

    run_id: Mapped[str] = mapped_column(ForeignKey("runs.run_id"), primary_key=True)
    window: Mapped[str] = mapped_column(primary_key=True)
    kind: Mapped[str]
    first: Mapped[str]
    last: Mapped[str]
    api_count: Mapped[int | None]
    fetched: Mapped[int]
    state: Mapped[str]
    note: Mapped[str]


class Page(Base):
    """One page of a window that is durable in a raw part."""

    __tablename__ = "run_pages"

    run_id: Mapped[str] = mapped_column(ForeignKey("runs.run_id"), primary_key=True)
    window: Mapped[str] = mapped_column(primary_key=True)
    page: Mapped[int] = mapped_column(primary_key=True)
    rows: Mapped[int]
    part: Mapped[str]
    nameless: Mapped[int]  # bad rows on it that have no id


class BadGame(Base):
    """One game of which a run read a row that could not be typed."""

    __tablename__ = "run_bad_games"

    run_id: Mapped[str] = mapped_column(ForeignKey("runs.run_id"), primary_key=True)
    natural_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)


class Ledger(Base):
    """The last stored version of every object of a source."""

    __tablename__ = "ledger"

    source: Mapped[str] = mapped_column(primary_key=True)
    entity: Mapped[str] = mapped_column(primary_key=True)
    natural_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    updated: Mapped[str | None]
    payload_hash: Mapped[str]
    listing: Mapped[str]
    first_seen: Mapped[str]
    last_seen: Mapped[str]
    run_id: Mapped[str]

    # Clustered by key: a batch of ids is found without a second tree. Other databases ignore it.
    __table_args__ = ({"sqlite_with_rowid": False},)


class Budget(Base):
    """Requests sent in a month, per base URL and key (a fingerprint, never the key)."""

    __tablename__ = "request_budget"

    fingerprint: Mapped[str] = mapped_column(primary_key=True)
    month: Mapped[str] = mapped_column(primary_key=True)
    spent: Mapped[int]


class LeaseRow(Base):
    """Who may write. The row stays after release, so that epochs never repeat."""

    __tablename__ = "leases"

    name: Mapped[str] = mapped_column(primary_key=True)
    owner: Mapped[str]
    epoch: Mapped[int]
    pid: Mapped[int]
    process: Mapped[str]
    host: Mapped[str]
    expires_at: Mapped[str | None]


class State(Base):
    """Small facts about the lake, such as watermarks."""

    __tablename__ = "lake_state"

    key: Mapped[str] = mapped_column(primary_key=True)
    value: Mapped[str]


class CheckResult(Base):
    """What one check said in one run."""

    __tablename__ = "check_results"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    run_id: Mapped[str] = mapped_column(ForeignKey("runs.run_id"), index=True)
    name: Mapped[str]
    subject: Mapped[str]
    outcome: Mapped[str]
    failing: Mapped[int]
    detail: Mapped[str]


class AuditEntry(Base):
    """What was done to the lake by hand or by a run."""

    __tablename__ = "audit_trail"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    at: Mapped[str]
    action: Mapped[str]
    subject: Mapped[str]
    detail: Mapped[str]
