"""What became of evidence: runs that were sealed, torn records that were cut, files that were cleared away."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables, and the column by which a manifest is known."""
    op.add_column("run", sa.Column("sealed", sa.Text(), nullable=True))
    op.create_table(
        "host_visit",
        sa.Column("run_id", sa.Integer(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("host", sa.Text(), nullable=False),
        sa.Column("requests", sa.Integer(), nullable=False),
        sa.Column("bytes", sa.BigInteger(), nullable=False),
        sa.Column("peak_second", sa.Integer(), nullable=False),
        sa.Column("peak_minute", sa.Integer(), nullable=False),
        sa.Column("blocks", sa.Integer(), nullable=False),
        sa.Column("refusals", sa.Integer(), nullable=False),
        sa.Column("slow_downs", sa.Integer(), nullable=False),
        sa.Column("rested_seconds", sa.Double(), nullable=False),
        sa.Column("robots_delay", sa.Double(), nullable=False),
        sa.Column("overrides", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["run.id"], name=op.f("fk_host_visit_run_id_run"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("run_id", "source", "host", name=op.f("pk_host_visit")),
    )
    op.create_table(
        "evidence_cut",
        sa.Column("run_id", sa.Integer(), nullable=False),
        sa.Column("file", sa.Text(), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("length", sa.BigInteger(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("cut_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["run.id"], name=op.f("fk_evidence_cut_run_id_run"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("run_id", "file", "position", "sha256", name=op.f("pk_evidence_cut")),
    )
    op.create_table(
        "pruned_file",
        sa.Column("run_id", sa.Integer(), nullable=False),
        sa.Column("file", sa.Text(), nullable=False),
        sa.Column("length", sa.BigInteger(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("pruned_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["run.id"], name=op.f("fk_pruned_file_run_id_run"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("run_id", "file", name=op.f("pk_pruned_file")),
    )


def downgrade() -> None:
    """Drop the tables."""
    op.drop_table("host_visit")
    op.drop_table("pruned_file")
    op.drop_table("evidence_cut")
    op.drop_column("run", "sealed")
