"""The year's work: the fault ledger and its steps, reviewers' marks and circulars, published annual results."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

VISIT_COLUMNS = ["run_id", "site_id", "url_key", "unit_id", "column_id", "role"]
VISIT_KEY = "_".join(VISIT_COLUMNS)


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "annual_version",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("last_day", sa.Date(), nullable=False),
        sa.Column("inputs", sa.Text(), nullable=False),
        sa.Column("result", sa.Text(), nullable=False),
        sa.Column("changes", sa.Text(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_annual_version")),
        sa.UniqueConstraint("year", "number", name=op.f("uq_annual_version_year_number")),
    )
    op.create_table(
        "circular_sheet",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column("imported_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("indicators_digest", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_circular_sheet")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_circular_sheet_year"), "circular_sheet", ["year"])
    op.create_table(
        "fault",
        sa.Column("fingerprint", sa.Text(), nullable=False),
        sa.Column("unit_id", sa.Text(), nullable=False),
        sa.Column("check_id", sa.Text(), nullable=False),
        sa.Column("target", sa.Text(), nullable=False),
        sa.Column("item", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("column_id", sa.Text(), nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("observation", sa.Text(), nullable=False),
        sa.Column("first_seen", sa.Date(), nullable=False),
        sa.Column("last_seen", sa.Date(), nullable=False),
        sa.Column("finding_id", sa.Integer(), nullable=False),
        sa.Column("deadline", sa.Date(), nullable=True),
        sa.Column("waived_until", sa.Date(), nullable=True),
        sa.Column("overdue_since", sa.Date(), nullable=True),
        sa.Column("judged_day", sa.Date(), nullable=True),
        sa.Column("judged_run", sa.Integer(), nullable=True),
        sa.PrimaryKeyConstraint("fingerprint", name=op.f("pk_fault")),
    )
    op.create_index(op.f("ix_fault_state"), "fault", ["state"])
    op.create_index(op.f("ix_fault_unit_id_state"), "fault", ["unit_id", "state"])
    op.create_table(
        "mark_sheet",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column("reviewer", sa.Text(), nullable=False),
        sa.Column("imported_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("indicators_digest", sa.Text(), nullable=False),
        sa.Column("units", sa.Text(), nullable=False),
        sa.Column("indicators", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_mark_sheet")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_mark_sheet_year_reviewer"), "mark_sheet", ["year", "reviewer"])
    op.create_table(
        "review_event",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("fingerprint", sa.Text(), nullable=False),
        sa.Column("step", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("until", sa.Date(), nullable=True),
        sa.Column("observation", sa.Text(), nullable=False),
        sa.Column("finding_id", sa.Integer(), nullable=True),
        sa.Column("run_id", sa.Integer(), nullable=True),
        sa.Column("attachments", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_review_event")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_review_event_day"), "review_event", ["day"])
    op.create_index(op.f("ix_review_event_fingerprint"), "review_event", ["fingerprint"])
    op.create_table(
        "circular",
        sa.Column("sheet_id", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("unit_id", sa.Text(), nullable=False),
        sa.Column("indicator_id", sa.Text(), nullable=False),
        sa.Column("points", sa.Text(), nullable=False),
        sa.Column("issuer", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.ForeignKeyConstraint(
            ["sheet_id"], ["circular_sheet.id"], name=op.f("fk_circular_sheet_id_circular_sheet"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("sheet_id", "position", name=op.f("pk_circular")),
    )
    op.create_table(
        "mark",
        sa.Column("sheet_id", sa.Integer(), nullable=False),
        sa.Column("unit_id", sa.Text(), nullable=False),
        sa.Column("indicator_id", sa.Text(), nullable=False),
        sa.Column("points", sa.Text(), nullable=True),
        sa.Column("note", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["sheet_id"], ["mark_sheet.id"], name=op.f("fk_mark_sheet_id_mark_sheet"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("sheet_id", "unit_id", "indicator_id", name=op.f("pk_mark")),
    )
    op.add_column("run", sa.Column("rescores", sa.Integer(), nullable=True))
    op.create_table(
        "revisit",
        sa.Column("run_id", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("unit_id", sa.Text(), nullable=False),
        sa.Column("column_id", sa.Text(), nullable=False),
        sa.Column("check_id", sa.Text(), nullable=False),
        sa.Column("item", sa.Text(), nullable=False),
        sa.Column("finding_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["run.id"], name=op.f("fk_revisit_run_id_run"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("run_id", "position", name=op.f("pk_revisit")),
    )
    with op.batch_alter_table("visit") as visit:
        visit.add_column(sa.Column("revisit", sa.Boolean(), nullable=False, server_default=sa.false()))
        visit.drop_constraint(op.f(f"uq_visit_{VISIT_KEY}"), type_="unique")
        visit.create_unique_constraint(op.f(f"uq_visit_{VISIT_KEY}_revisit"), [*VISIT_COLUMNS, "revisit"])
    with op.batch_alter_table("visit") as visit:
        visit.alter_column("revisit", server_default=None)  # it served the rows that were there


def downgrade() -> None:
    """Drop the tables."""
    op.execute("DELETE FROM visit WHERE revisit")
    with op.batch_alter_table("visit") as visit:
        visit.drop_constraint(op.f(f"uq_visit_{VISIT_KEY}_revisit"), type_="unique")
        visit.drop_column("revisit")
        visit.create_unique_constraint(op.f(f"uq_visit_{VISIT_KEY}"), VISIT_COLUMNS)
    op.drop_table("revisit")
    op.drop_column("run", "rescores")
    op.drop_table("mark")
    op.drop_table("circular")
    op.drop_index(op.f("ix_review_event_fingerprint"), table_name="review_event")
    op.drop_index(op.f("ix_review_event_day"), table_name="review_event")
    op.drop_table("review_event")
    op.drop_index(op.f("ix_mark_sheet_year_reviewer"), table_name="mark_sheet")
    op.drop_table("mark_sheet")
    op.drop_index(op.f("ix_fault_unit_id_state"), table_name="fault")
    op.drop_index(op.f("ix_fault_state"), table_name="fault")
    op.drop_table("fault")
    op.drop_index(op.f("ix_circular_sheet_year"), table_name="circular_sheet")
    op.drop_table("circular_sheet")
    op.drop_table("annual_version")
