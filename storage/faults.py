"""问题台账: every fault with where it stands, and every step of its life; steps are added, never changed."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime

from sqlalchemy import Select, select, text
from sqlalchemy.orm import Session

from scoring.review import FaultState
from storage import rows
from storage.batches import chunks, insert_rows, upsert_rows
from storage.database import Database
from storage.model import PROGRAM, Fault, ReviewEvent
from storage.tables import FaultRow, ReviewEventRow


def _now() -> datetime:
    return datetime.now(UTC)


class LedgerChange:
    """The ledger within one transaction that nobody else's change comes between; made by FaultLedger.changing."""

    def __init__(self, session: Session, now: datetime) -> None:
        self._session = session
        self._now = now

    def known(self, fingerprints: Iterable[str]) -> dict[str, Fault]:
        """Return those of the faults that the ledger has, by fingerprint."""
        return _known(self._session, fingerprints)

    def of_units(self, unit_ids: Collection[str]) -> dict[str, Fault]:
        """Return every fault of the units, by fingerprint."""
        query = select(FaultRow).where(FaultRow.unit_id.in_(unit_ids))
        return {row.fingerprint: rows.fault_of(row) for row in self._session.scalars(query)}

    def events(self, fingerprints: Iterable[str]) -> dict[str, list[ReviewEvent]]:
        """Return the steps of each fault, oldest first; a fault without any is left out."""
        return _events(self._session, fingerprints)

    def record(self, faults: Iterable[Fault], events: Iterable[ReviewEvent]) -> None:
        """Keep where the faults stand now, and add the steps that led there, in the order given."""
        upsert_rows(self._session, FaultRow, [rows.fault_values(fault) for fault in faults])
        insert_rows(self._session, ReviewEventRow, [rows.event_values(event, self._now) for event in events])


class FaultLedger:
    """Reads and writes the ledger; `clock` gives the time that is noted beside each step."""

    def __init__(self, database: Database, clock: Callable[[], datetime] = _now) -> None:
        self._database = database
        self._clock = clock

    def fault(self, fingerprint: str) -> Fault | None:
        """Return a fault; None for one that no run has seen fail."""
        return self.known([fingerprint]).get(fingerprint)

    def known(self, fingerprints: Iterable[str]) -> dict[str, Fault]:
        """Return those of the faults that the ledger has, by fingerprint."""
        with self._database.reading() as session:
            return _known(session, fingerprints)

    def faults(
        self,
        unit_ids: Collection[str] | None = None,
        check: str | None = None,
        states: Collection[FaultState] | None = None,
        overdue_on: date | None = None,
    ) -> list[Fault]:
        """Return the faults that meet every condition given, by unit, check, target, item and reason.

        `overdue_on`: only those whose rectification was seen to be overdue on that day or before, and still is.
        """
        query = select(FaultRow)
        query = query if unit_ids is None else query.where(FaultRow.unit_id.in_(unit_ids))
        query = query if check is None else query.where(FaultRow.check == check)
        query = query if states is None else query.where(FaultRow.state.in_(states))
        query = query if overdue_on is None else query.where(FaultRow.overdue_since <= overdue_on)
        with self._database.reading() as session:
            found = [rows.fault_of(row) for row in session.scalars(query)]
        return sorted(found, key=lambda fault: (fault.unit_id, fault.check, fault.target, fault.item, fault.reason))

    def events(self, fingerprint: str) -> list[ReviewEvent]:
        """Return every step in the life of a fault, oldest first."""
        return self.events_of([fingerprint]).get(fingerprint, [])

    def events_of(self, fingerprints: Iterable[str]) -> dict[str, list[ReviewEvent]]:
        """Return every step in the life of each fault, oldest first; a fault without any is left out."""
        with self._database.reading() as session:
            return _events(session, fingerprints)

    def events_between(self, first: date, last: date) -> list[ReviewEvent]:
        """Return the steps of all faults from day to day, both ends included, oldest first."""
        with self._database.reading() as session:
            return _in_order(session, select(ReviewEventRow).where(ReviewEventRow.day.between(first, last)))

    def reviewed(self, unit_ids: Collection[str]) -> list[ReviewEvent]:
        """Return every step of those faults of the units that a person ever had to do with, oldest first."""
        touched = select(ReviewEventRow.fingerprint).where(ReviewEventRow.actor != PROGRAM)
        query = (
            select(ReviewEventRow)
            .join(FaultRow, FaultRow.fingerprint == ReviewEventRow.fingerprint)
            .where(FaultRow.unit_id.in_(unit_ids), ReviewEventRow.fingerprint.in_(touched))
        )
        with self._database.reading() as session:
            return _in_order(session, query)

    def record(self, faults: Iterable[Fault], events: Iterable[ReviewEvent]) -> None:
        """Keep where the faults stand now, and add the steps that led there, in one transaction."""
        with self.changing() as change:
            change.record(faults, events)

    @contextmanager
    def changing(self) -> Iterator[LedgerChange]:
        """Give the ledger in one transaction that other writers wait for: what is read there is still so when written.

        Committed at the end, undone by an exception.
        """
        with self._database.writing() as session:
            if session.connection().dialect.name == "postgresql":  # SQLite's writers are alone in any case
                session.execute(text("LOCK TABLE fault IN SHARE ROW EXCLUSIVE MODE"))
            yield LedgerChange(session, self._clock())


# ---------------------------------------------------------------- reading


def _known(session: Session, fingerprints: Iterable[str]) -> dict[str, Fault]:
    found: dict[str, Fault] = {}
    for some in chunks(fingerprints):
        listed = session.scalars(select(FaultRow).where(FaultRow.fingerprint.in_(some)))
        found |= {row.fingerprint: rows.fault_of(row) for row in listed}
    return found


def _events(session: Session, fingerprints: Iterable[str]) -> dict[str, list[ReviewEvent]]:
    found: dict[str, list[ReviewEvent]] = {}
    for some in chunks(fingerprints):
        for event in _in_order(session, select(ReviewEventRow).where(ReviewEventRow.fingerprint.in_(some))):
            found.setdefault(event.fingerprint, []).append(event)
    return found


def _in_order(session: Session, query: Select[ReviewEventRow]) -> list[ReviewEvent]:
    return [rows.event_of(row) for row in session.scalars(query.order_by(ReviewEventRow.id))]
