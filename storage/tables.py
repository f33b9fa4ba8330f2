"""The tables, for SQLite and PostgreSQL alike. The migrations under `migrations/` make exactly these; a test compares.

Whatever comes from a page is hostile: text that a database would refuse (NUL, lone surrogates) is replaced, and no
page's URL is indexed itself, because PostgreSQL refuses index entries over 2.7 kB; `url_key` stands in for it.
"""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import (
    BigInteger,
    Date,
    DateTime,
    Dialect,
    Double,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    MetaData,
    Text,
    TypeDecorator,
    UniqueConstraint,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from checks.model import EvidenceRef


class SafeText(TypeDecorator[str]):
    """Text that both databases take: NUL and lone surrogates become U+FFFD."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        """Return the text as the database may have it."""
        if value is None or value.isprintable():  # NUL and surrogates are not
            return value
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace").replace("\x00", "\ufffd")


class JsonText(TypeDecorator[Any]):
    """Plain data as JSON in ASCII, so that no character in it can offend a database."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> str | None:
        """Return the data as JSON."""
        return None if value is None else json.dumps(value, separators=(",", ":"))

    def process_result_value(self, value: str | None, dialect: Dialect) -> Any:
        """Return the data; tuples come back as lists."""
        return None if value is None else json.loads(value)


class EvidenceText(TypeDecorator[EvidenceRef]):
    """Where evidence lies, as JSON of the four fields of an EvidenceRef."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: EvidenceRef | None, dialect: Dialect) -> str | None:
        """Return the reference as JSON."""
        return None if value is None else json.dumps(evidence_fields(value))

    def process_result_value(self, value: str | None, dialect: Dialect) -> EvidenceRef | None:
        """Return the reference."""
        return None if value is None else EvidenceRef(**json.loads(value))


class ExactDecimal(TypeDecorator[Decimal]):
    """A Decimal as its own text, digit for digit, because SQLite has no exact number and scores may not drift."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Decimal | None, dialect: Dialect) -> str | None:
        """Return the number's text."""
        return None if value is None else str(value)

    def process_result_value(self, value: str | None, dialect: Dialect) -> Decimal | None:
        """Return the number."""
        return None if value is None else Decimal(value)


class UtcDateTime(TypeDecorator[datetime]):
    """An instant: aware when bound, aware UTC when read; ValueError for a naive one, whose instant nobody knows."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Return the instant in UTC."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"datetime without a time zone: {value!r}")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Return the instant in UTC; SQLite gives back what it was given, without its zone."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def evidence_fields(reference: EvidenceRef) -> dict[str, str | int]:
    """Return the four fields of a reference as plain data."""
    return {
        "warc_file": reference.warc_file,
        "offset": reference.offset,
        "record_id": reference.record_id,
        "payload_digest": reference.payload_digest,
    }


class Base(DeclarativeBase):
    """Base of every table; constraints bear names so that a migration can address them on both databases."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map = {  # noqa: RUF012 - read by SQLAlchemy
        str: SafeText,
        Decimal: ExactDecimal,
        datetime: UtcDateTime,
        date: Date,
        float: Double,
        EvidenceRef: EvidenceText,
    }


_NO_NUMBER_TWICE = {
    "sqlite_autoincrement": True
}  # people quote numbers of runs and findings: none may mean another later


def _run_id() -> Mapped[int]:
    return mapped_column(ForeignKey("run.id", ondelete="CASCADE"))


def _unit_score() -> ForeignKeyConstraint:
    return ForeignKeyConstraint(["run_id", "unit_id"], ["unit_score.run_id", "unit_score.unit_id"], ondelete="CASCADE")


class RunRow(Base):
    """One inspection."""

    __tablename__ = "run"
    __table_args__ = (Index(None, "day", "kind"), _NO_NUMBER_TWICE)

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str]
    day: Mapped[date]
    state: Mapped[str]
    seed: Mapped[str]
    rules_version: Mapped[str]
    rules_digest: Mapped[str]
    indicators_digest: Mapped[str]
    inventory_digest: Mapped[str]
    units: Mapped[Any] = mapped_column(JsonText, nullable=False)
    software: Mapped[str]
    created_at: Mapped[datetime]
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
    note: Mapped[str]
    rescores: Mapped[int | None]
    sealed: Mapped[str | None]  # SHA-256 of the manifest, in hex


class RunSiteRow(Base):
    """The ledger: where one site of a run stands."""

    __tablename__ = "run_site"

    run_id: Mapped[int] = mapped_column(ForeignKey("run.id", ondelete="CASCADE"), primary_key=True)
    site_id: Mapped[str] = mapped_column(primary_key=True)
    state: Mapped[str]
    attempts: Mapped[int]
    reason: Mapped[str]
    updated_at: Mapped[datetime]


class CaptureRow(Base):
    """A Capture; a later one of the same URL and mode in the same run takes its place."""

    __tablename__ = "capture"
    __table_args__ = (UniqueConstraint("run_id", "site_id", "url_key", "mode"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    run_id: Mapped[int] = _run_id()
    site_id: Mapped[str]
    url_key: Mapped[str]
    url: Mapped[str]
    mode: Mapped[str]
    captured_at: Mapped[datetime]
    final_url: Mapped[str]
    redirects: Mapped[Any] = mapped_column(JsonText, nullable=False)
    status: Mapped[int | None]
    headers: Mapped[Any] = mapped_column(JsonText, nullable=False)
    length: Mapped[int]
    elapsed: Mapped[float]
    address: Mapped[str]
    failure: Mapped[str | None]
    detail: Mapped[str]
    evidence: Mapped[EvidenceRef | None]


class VisitRow(Base):
    """A Visit. No unit and no column are empty text here, because NULLs would not make the key unique."""

    __tablename__ = "visit"
    __table_args__ = (UniqueConstraint("run_id", "site_id", "url_key", "unit_id", "column_id", "role", "revisit"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    run_id: Mapped[int] = _run_id()
    site_id: Mapped[str]
    url_key: Mapped[str]
    url: Mapped[str]
    role: Mapped[str]
    order: Mapped[int] = mapped_column("position", key="order")
    unit_id: Mapped[str]
    column_id: Mapped[str]
    parent: Mapped[str | None]
    reason: Mapped[str]
    title: Mapped[str]
    listed_date: Mapped[date | None]
    rendering_wanted: Mapped[bool]
    failure: Mapped[str | None]
    revisit: Mapped[bool]


class RevisitRow(Base):
    """A Revisit that a run was begun with: a resumed run asks for the same, whatever became of the faults meanwhile."""

    __tablename__ = "revisit"

    run_id: Mapped[int] = mapped_column(ForeignKey("run.id", ondelete="CASCADE"), primary_key=True)
    order: Mapped[int] = mapped_column("position", key="order", primary_key=True)
    url: Mapped[str]
    unit_id: Mapped[str]
    column_id: Mapped[str]
    check: Mapped[str] = mapped_column("check_id", key="check")
    item: Mapped[str]
    finding_id: Mapped[int]


class ProbeRow(Base):
    """A Probe; `question_key` stands for what was asked (kind, target, family, address, port, number of the try)."""

    __tablename__ = "probe"
    __table_args__ = (UniqueConstraint("run_id", "site_id", "question_key"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    run_id: Mapped[int] = _run_id()
    site_id: Mapped[str]
    question_key: Mapped[str]
    kind: Mapped[str]
    target: Mapped[str]
    family: Mapped[int]
    captured_at: Mapped[datetime]
    observed: Mapped[Any] = mapped_column(JsonText, nullable=False)
    failure: Mapped[str | None]
    evidence: Mapped[EvidenceRef | None]


class FindingRow(Base):
    """A Finding of a run. `day` is the run's, kept here so that one index answers on which days a fault was seen."""

    __tablename__ = "finding"
    __table_args__ = (
        Index(None, "fingerprint", "day"),
        Index(None, "run_id", "unit_id"),
        Index(None, "unit_id", "day"),
        _NO_NUMBER_TWICE,
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    run_id: Mapped[int] = _run_id()
    day: Mapped[date]
    fingerprint: Mapped[str]
    check: Mapped[str] = mapped_column("check_id", key="check")
    target: Mapped[str]
    outcome: Mapped[str]
    reason: Mapped[str]
    observed: Mapped[str]
    expected: Mapped[str]
    passage: Mapped[str]
    where: Mapped[str] = mapped_column("place", key="where")
    item: Mapped[str]
    weight: Mapped[Decimal]
    unit_id: Mapped[str]
    column_id: Mapped[str | None]
    evidence: Mapped[Any] = mapped_column(JsonText, nullable=False)  # a list of EvidenceRef
    screenshot: Mapped[EvidenceRef | None]
    rules_version: Mapped[str]
    state: Mapped[str]


class UnitScoreRow(Base):
    """A unit's score in one run; NULL where nothing could be scored."""

    __tablename__ = "unit_score"

    run_id: Mapped[int] = mapped_column(ForeignKey("run.id", ondelete="CASCADE"), primary_key=True)
    unit_id: Mapped[str] = mapped_column(primary_key=True)
    kind: Mapped[str]
    rules_version: Mapped[str]
    state: Mapped[str]
    score: Mapped[Decimal | None]
    coverage: Mapped[Decimal]
    verdict: Mapped[str | None]
    vetoes: Mapped[Any] = mapped_column(JsonText, nullable=False)
    reasons: Mapped[Any] = mapped_column(JsonText, nullable=False)


class SiteVerdictRow(Base):
    """The verdict on a site in one run; NULL where too little was seen."""

    __tablename__ = "site_verdict"

    run_id: Mapped[int] = mapped_column(ForeignKey("run.id", ondelete="CASCADE"), primary_key=True)
    site_id: Mapped[str] = mapped_column(primary_key=True)
    verdict: Mapped[str | None]
    vetoes: Mapped[Any] = mapped_column(JsonText, nullable=False)
    coverage: Mapped[Decimal]


class IndicatorScoreRow(Base):
    """One row of the scoring table for one unit in one run; `counts` says how many targets are in which state."""

    __tablename__ = "indicator_score"
    __table_args__ = (_unit_score(),)

    run_id: Mapped[int] = mapped_column(primary_key=True)
    unit_id: Mapped[str] = mapped_column(primary_key=True)
    indicator_id: Mapped[str] = mapped_column(primary_key=True)
    order: Mapped[int] = mapped_column("position", key="order")
    points: Mapped[Decimal]
    value: Mapped[Decimal | None]
    coverage: Mapped[Decimal | None]
    weights: Mapped[Any] = mapped_column(JsonText, nullable=False)
    counts: Mapped[Any] = mapped_column(JsonText, nullable=False)


class PublishedScoreRow(Base):
    """Which run's score of a unit counts for a day: one a unit and day."""

    __tablename__ = "published_score"
    __table_args__ = (_unit_score(),)

    day: Mapped[date] = mapped_column(primary_key=True)
    unit_id: Mapped[str] = mapped_column(primary_key=True)
    run_id: Mapped[int]
    published_at: Mapped[datetime]


class AvailabilityRow(Base):
    """可用性 of one site on one day: what each probe came to, by the minute it was made, as {"09:15": code}."""

    __tablename__ = "availability"

    site_id: Mapped[str] = mapped_column(primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True)
    results: Mapped[Any] = mapped_column(JsonText, nullable=False)


class ListedEntryRow(Base):
    """An entry that a column's list was seen to hold on a night; `first_seen` is the first such night."""

    __tablename__ = "listed_entry"
    __table_args__ = (UniqueConstraint("target_key", "url_key"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    target_key: Mapped[str]
    url_key: Mapped[str]
    url: Mapped[str]
    title: Mapped[str]
    claimed: Mapped[date | None]
    first_seen: Mapped[date]


class WholeListRow(Base):
    """A night on which a column's list was read to its end."""

    __tablename__ = "whole_list"

    target_key: Mapped[str] = mapped_column(primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True)


class NewMediaRegisterRow(Base):
    """One version of the register of accounts that the office imported; the newest as of a day counts."""

    __tablename__ = "new_media_register"
    __table_args__ = (Index(None, "recorded_on"), _NO_NUMBER_TWICE)

    id: Mapped[int] = mapped_column(primary_key=True)
    recorded_on: Mapped[date]
    imported_at: Mapped[datetime]
    source: Mapped[str]
    digest: Mapped[str]


class NewMediaAccountRow(Base):
    """One account of a register."""

    __tablename__ = "new_media_account"

    register_id: Mapped[int] = mapped_column(ForeignKey("new_media_register.id", ondelete="CASCADE"), primary_key=True)
    order: Mapped[int] = mapped_column("position", key="order", primary_key=True)
    unit_id: Mapped[str]
    platform: Mapped[str]
    name: Mapped[str]
    last_post: Mapped[date | None]
    interaction: Mapped[bool | None]
    note: Mapped[str]


class FaultRow(Base):
    """问题台账: where one fault (fingerprint) stands today. Made out of the findings and of `review_event`."""

    __tablename__ = "fault"
    __table_args__ = (Index(None, "unit_id", "state"), Index(None, "state"))

    fingerprint: Mapped[str] = mapped_column(primary_key=True)
    unit_id: Mapped[str]
    check: Mapped[str] = mapped_column("check_id", key="check")
    target: Mapped[str]
    item: Mapped[str]
    reason: Mapped[str]
    column_id: Mapped[str | None]
    state: Mapped[str]
    observation: Mapped[str]
    first_seen: Mapped[date]
    last_seen: Mapped[date]
    finding_id: Mapped[int]
    deadline: Mapped[date | None]
    waived_until: Mapped[date | None]
    overdue_since: Mapped[date | None]
    judged_day: Mapped[date | None]
    judged_run: Mapped[int | None]


class ReviewEventRow(Base):
    """One step in the life of a fault; rows are added, never changed."""

    __tablename__ = "review_event"
    __table_args__ = (Index(None, "fingerprint"), Index(None, "day"), _NO_NUMBER_TWICE)

    id: Mapped[int] = mapped_column(primary_key=True)
    fingerprint: Mapped[str]
    step: Mapped[str]
    state: Mapped[str]
    day: Mapped[date]
    recorded_at: Mapped[datetime]
    actor: Mapped[str]
    account: Mapped[str]
    why: Mapped[str]
    until: Mapped[date | None]
    observation: Mapped[str]
    finding_id: Mapped[int | None]
    run_id: Mapped[int | None]
    attachments: Mapped[Any] = mapped_column(JsonText, nullable=False)  # a list of name, digest, bytes


class MarkSheetRow(Base):
    """One version of a reviewer's marks for a year; the newest of a reviewer counts."""

    __tablename__ = "mark_sheet"
    __table_args__ = (Index(None, "year", "reviewer"), _NO_NUMBER_TWICE)

    id: Mapped[int] = mapped_column(primary_key=True)
    year: Mapped[int]
    reviewer: Mapped[str]
    imported_at: Mapped[datetime]
    actor: Mapped[str]
    account: Mapped[str]
    source: Mapped[str]
    digest: Mapped[str]
    indicators_digest: Mapped[str]
    units: Mapped[Any] = mapped_column(JsonText, nullable=False)  # a list of ids, as the next
    indicators: Mapped[Any] = mapped_column(JsonText, nullable=False)


class MarkRow(Base):
    """One mark of a sheet; NULL points: the reviewer says that the row does not concern the unit."""

    __tablename__ = "mark"

    sheet_id: Mapped[int] = mapped_column(ForeignKey("mark_sheet.id", ondelete="CASCADE"), primary_key=True)
    unit_id: Mapped[str] = mapped_column(primary_key=True)
    indicator_id: Mapped[str] = mapped_column(primary_key=True)
    points: Mapped[Decimal | None]
    note: Mapped[str]


class CircularSheetRow(Base):
    """One version of a year's list of circulars; the newest counts."""

    __tablename__ = "circular_sheet"
    __table_args__ = (Index(None, "year"), _NO_NUMBER_TWICE)

    id: Mapped[int] = mapped_column(primary_key=True)
    year: Mapped[int]
    imported_at: Mapped[datetime]
    actor: Mapped[str]
    account: Mapped[str]
    source: Mapped[str]
    digest: Mapped[str]
    indicators_digest: Mapped[str]


class CircularRow(Base):
    """One circular (通报) against one unit."""

    __tablename__ = "circular"

    sheet_id: Mapped[int] = mapped_column(ForeignKey("circular_sheet.id", ondelete="CASCADE"), primary_key=True)
    order: Mapped[int] = mapped_column("position", key="order", primary_key=True)
    unit_id: Mapped[str]
    indicator_id: Mapped[str]
    points: Mapped[Decimal]
    issuer: Mapped[str]
    title: Mapped[str]
    day: Mapped[date]


class AnnualVersionRow(Base):
    """A published result of a year, frozen: rows are added, never changed."""

    __tablename__ = "annual_version"
    __table_args__ = (UniqueConstraint("year", "number"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    year: Mapped[int]
    number: Mapped[int]
    published_at: Mapped[datetime]
    actor: Mapped[str]
    account: Mapped[str]
    why: Mapped[str]
    last_day: Mapped[date]
    inputs: Mapped[Any] = mapped_column(JsonText, nullable=False)
    result: Mapped[Any] = mapped_column(JsonText, nullable=False)
    changes: Mapped[Any] = mapped_column(JsonText, nullable=False)
    digest: Mapped[str]


class EvidenceCutRow(Base):
    """A torn record that was cut from the end of a file of the run's folder: `position` and `length` in bytes.

    Its digest tells a cut begun once more from another cut at the same place.
    """

    __tablename__ = "evidence_cut"

    run_id: Mapped[int] = mapped_column(ForeignKey("run.id", ondelete="CASCADE"), primary_key=True)
    file: Mapped[str] = mapped_column(primary_key=True)
    position: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    length: Mapped[int] = mapped_column(BigInteger)
    sha256: Mapped[str] = mapped_column(primary_key=True)
    cut_at: Mapped[datetime]


class PrunedFileRow(Base):
    """A file of a sealed run that somebody cleared away; its digest is that of the manifest."""

    __tablename__ = "pruned_file"

    run_id: Mapped[int] = mapped_column(ForeignKey("run.id", ondelete="CASCADE"), primary_key=True)
    file: Mapped[str] = mapped_column(primary_key=True)
    length: Mapped[int] = mapped_column(BigInteger)
    sha256: Mapped[str]
    pruned_at: Mapped[datetime]
    actor: Mapped[str]
    account: Mapped[str]
    why: Mapped[str]


class HostVisitRow(Base):
    """What one process of a run asked of one host."""

    __tablename__ = "host_visit"

    run_id: Mapped[int] = mapped_column(ForeignKey("run.id", ondelete="CASCADE"), primary_key=True)
    source: Mapped[str] = mapped_column(primary_key=True)
    host: Mapped[str] = mapped_column(primary_key=True)
    requests: Mapped[int]
    bytes: Mapped[int] = mapped_column(BigInteger)
    peak_second: Mapped[int]
    peak_minute: Mapped[int]
    blocks: Mapped[int]
    refusals: Mapped[int]
    slow_downs: Mapped[int]
    rested_seconds: Mapped[float]
    robots_delay: Mapped[float]
    overrides: Mapped[Any] = mapped_column(JsonText, nullable=False)  # a list of sentences
