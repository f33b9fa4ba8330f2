"""What is known beside the runs: availability, what lists held on earlier nights, the register of accounts; and the
verdicts on sites."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "availability",
        sa.Column("site_id", sa.Text(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("results", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("site_id", "day", name=op.f("pk_availability")),
    )
    op.create_table(
        "listed_entry",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("target_key", sa.Text(), nullable=False),
        sa.Column("url_key", sa.Text(), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("claimed", sa.Date(), nullable=True),
        sa.Column("first_seen", sa.Date(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_listed_entry")),
        sa.UniqueConstraint("target_key", "url_key", name=op.f("uq_listed_entry_target_key_url_key")),
    )
    op.create_table(
        "whole_list",
        sa.Column("target_key", sa.Text(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.PrimaryKeyConstraint("target_key", "day", name=op.f("pk_whole_list")),
    )
    op.create_table(
        "new_media_register",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("recorded_on", sa.Date(), nullable=False),
        sa.Column("imported_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_new_media_register")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_new_media_register_recorded_on"), "new_media_register", ["recorded_on"])
    op.create_table(
        "new_media_account",
        sa.Column("register_id", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("unit_id", sa.Text(), nullable=False),
        sa.Column("platform", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("last_post", sa.Date(), nullable=True),
        sa.Column("interaction", sa.Boolean(), nullable=True),
        sa.Column("note", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["register_id"],
            ["new_media_register.id"],
            name=op.f("fk_new_media_account_register_id_new_media_register"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("register_id", "position", name=op.f("pk_new_media_account")),
    )
    op.create_table(
        "site_verdict",
        sa.Column("run_id", sa.Integer(), nullable=False),
        sa.Column("site_id", sa.Text(), nullable=False),
        sa.Column("verdict", sa.Text(), nullable=True),
        sa.Column("vetoes", sa.Text(), nullable=False),
        sa.Column("coverage", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["run.id"], name=op.f("fk_site_verdict_run_id_run"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("run_id", "site_id", name=op.f("pk_site_verdict")),
    )


def downgrade() -> None:
    """Drop the tables."""
    for table in (
        "site_verdict",
        "new_media_account",
        "new_media_register",
        "whole_list",
        "listed_entry",
        "availability",
    ):
        op.drop_table(table)
