"""Pages that are looked at again: kept with their run, and apart from the sample."""

from __future__ import annotations

from datetime import date

from alembic import command
from sqlalchemy import text

from checks.model import PageRole, Revisit, Visit
from storage.database import Database, migration_config, upgrade
from storage.model import Run, RunKind
from storage.repository import Repository
from storage.revisits import RevisitStore

PAGE = "http://portal.test/1.html"
FILE = "http://portal.test/1.pdf"


def begin(repository: Repository) -> Run:
    return repository.create_run(
        kind=RunKind.NIGHTLY,
        day=date(2026, 11, 23),
        seed="s",
        rules_version="1",
        digests={"rules": "r", "indicators": "i", "inventory": "v"},
        site_ids=["portal"],
    )


def test_a_run_keeps_its_revisits_in_their_order(database: Database, repository: Repository) -> None:
    store, one, other = RevisitStore(database), begin(repository), begin(repository)
    revisits = tuple(
        Revisit(f"{PAGE}?{n}" + "长" * 3_000, "jiaoyuju", "news", "open_attribute", "", n) for n in (3, 1, 2)
    )
    store.pin(one.id, revisits)
    store.pin(other.id, ())
    assert store.of_run(one.id) == revisits
    assert store.of_run(other.id) == store.of_run(99) == ()


def test_a_file_of_the_sample_keeps_its_article_when_it_is_looked_at_again_for_another(repository: Repository) -> None:
    run_id = begin(repository).id
    place = {"unit_id": "jiaoyuju", "column_id": "news"}
    drawn = Visit("portal", FILE, PageRole.ATTACHMENT, parent=PAGE, **place)
    again = Visit("portal", FILE, PageRole.ATTACHMENT, parent=f"{PAGE}?old", revisit=True, **place)
    for order in ([drawn, again], [again, drawn]):
        repository.add_captured(run_id, visits=order)
        assert repository.visits(run_id, "portal") == [drawn, again]


def test_visits_of_before_are_those_of_samples(empty_database: Database) -> None:
    with empty_database.engine.connect() as connection:
        connection.execution_options(writes=True)
        with connection.begin():
            command.upgrade(migration_config(connection), "0002")
            columns = (
                "run_id, site_id, url_key, url, role, position, unit_id, column_id, reason, title, rendering_wanted"
            )
            connection.execute(
                text(
                    "INSERT INTO run (kind, day, state, seed, rules_version, rules_digest, indicators_digest,"
                    " inventory_digest, units, software, created_at, note) VALUES ('nightly', '2026-11-23',"
                    " 'published', 's', '1', 'r', 'i', 'v', '[]', '0', '2026-11-23 01:00:00', '')"
                )
            )
            connection.execute(
                text(
                    f"INSERT INTO visit ({columns})"
                    " VALUES (1, 'portal', 'k', :url, 'article', 0, '', '', '', '', FALSE)"
                ),
                {"url": PAGE},
            )
    upgrade(empty_database)
    repository = Repository(empty_database)
    assert repository.visits(1, "portal") == [Visit("portal", PAGE, PageRole.ARTICLE)]
    repository.add_captured(1, visits=[Visit("portal", PAGE, PageRole.ARTICLE, revisit=True)])
    assert [visit.revisit for visit in repository.visits(1, "portal")] == [False, True]
