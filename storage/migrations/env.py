"""What Alembic runs: the connection comes from storage.database, so no alembic.ini is needed anywhere."""

from __future__ import annotations

from alembic import context

from storage.tables import Base

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    render_as_batch=True,  # SQLite cannot alter a table otherwise
    transactional_ddl=True,  # storage.database begins SQLite's transactions itself: a failed step leaves nothing
)
with context.begin_transaction():
    context.run_migrations()
