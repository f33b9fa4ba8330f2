"""What each run asked of each host, for whoever runs the host; what was slow, and what was kept from us."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, fields

from sqlalchemy import delete, func, select

from storage.batches import insert_rows
from storage.database import Database
from storage.tables import CaptureRow, HostVisitRow, VisitRow


@dataclass(frozen=True, slots=True)
class KeptVisits:
    """What was asked of a host. Peaks are of any second and minute of one process; `robots_delay` is in seconds."""

    host: str
    requests: int
    bytes: int
    peak_second: int
    peak_minute: int
    blocks: int
    refusals: int
    slow_downs: int
    rested_seconds: float
    robots_delay: float
    overrides: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SlowPage:
    """A page that was slow to come, `elapsed` in seconds."""

    site_id: str
    url: str
    elapsed: float


class HostVisitStore:
    """Keeps what was asked, per run and asking process; a process that tells again replaces what it told."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def keep(self, run_id: int, source: str, visits: Iterable[KeptVisits]) -> None:
        """Keep what one process asked so far."""
        values = [
            asdict(kept) | {"run_id": run_id, "source": source, "overrides": list(kept.overrides)} for kept in visits
        ]
        with self._database.writing() as session:
            of_source = (HostVisitRow.run_id == run_id) & (HostVisitRow.source == source)
            session.execute(delete(HostVisitRow).where(of_source))
            insert_rows(session, HostVisitRow, values)

    def of_run(self, run_id: int) -> tuple[KeptVisits, ...]:
        """Return what a run asked of each host, all processes together, by host."""
        query = select(HostVisitRow).where(HostVisitRow.run_id == run_id).order_by(HostVisitRow.host)
        by_host: dict[str, list[HostVisitRow]] = {}
        with self._database.reading() as session:
            for row in session.scalars(query):
                by_host.setdefault(row.host, []).append(row)
            return tuple(_together(rows) for rows in by_host.values())

    def slowest(self, run_id: int, most: int) -> tuple[SlowPage, ...]:
        """Return the pages that were slowest to come."""
        query = (
            select(CaptureRow.site_id, CaptureRow.url, CaptureRow.elapsed)
            .where(CaptureRow.run_id == run_id, CaptureRow.mode == "static", CaptureRow.elapsed > 0)
            .order_by(CaptureRow.elapsed.desc(), CaptureRow.url_key)
            .limit(most)
        )
        with self._database.reading() as session:
            return tuple(SlowPage(*row) for row in session.execute(query))

    def mean_seconds(self, run_id: int) -> dict[str, float]:
        """Return how long the pages of each site took to come, on average."""
        query = (
            select(CaptureRow.site_id, func.avg(CaptureRow.elapsed))
            .where(CaptureRow.run_id == run_id, CaptureRow.mode == "static", CaptureRow.elapsed > 0)
            .group_by(CaptureRow.site_id)
        )
        with self._database.reading() as session:
            return {site: float(seconds) for site, seconds in session.execute(query)}

    def unread(self, run_id: int, failures: Sequence[str]) -> dict[tuple[str, str], int]:
        """Return how many pages of each site were not read for each of these failures; codes are told by `failure`.

        A page that a browser then saw was read.
        """
        seen = select(CaptureRow.site_id, CaptureRow.url_key).where(
            CaptureRow.run_id == run_id, CaptureRow.mode == "rendered", CaptureRow.failure.is_(None)
        )
        captured = select(CaptureRow.site_id, CaptureRow.url_key, CaptureRow.failure).where(
            CaptureRow.run_id == run_id, CaptureRow.mode != "screenshot", CaptureRow.failure.in_(failures)
        )
        never = select(VisitRow.site_id, VisitRow.url_key, VisitRow.failure).where(
            VisitRow.run_id == run_id, VisitRow.failure.in_(failures)
        )
        with self._database.reading() as session:
            read = {(site, url) for site, url in session.execute(seen)}
            found = {tuple(row) for query in (captured, never) for row in session.execute(query)}
        return Counter((site, failure) for site, url, failure in found if (site, url) not in read)


def _together(rows: Sequence[HostVisitRow]) -> KeptVisits:
    sums = {"requests", "bytes", "blocks", "refusals", "slow_downs", "rested_seconds"}
    values = {
        item.name: (sum if item.name in sums else max)(getattr(row, item.name) for row in rows)
        for item in fields(KeptVisits)
        if item.name not in ("host", "overrides")
    }
    overrides = tuple(dict.fromkeys(reason for row in rows for reason in row.overrides))
    return KeptVisits(host=rows[0].host, overrides=overrides, **values)
