"""Errors of inspections by many machines; the docstring of each names the fix."""

from __future__ import annotations

from inspection.errors import InspectionError


class EngineMissing(InspectionError):
    """The task queue is not installed: install the extra "distributed"."""


class NeedsPostgresql(InspectionError):
    """Several machines cannot share a SQLite file: set INSPECT_DATABASE_URL to a PostgreSQL database."""


class NotCoordinated(InspectionError):
    """No inspection by many machines was ever begun, or another version began it: see to the main machine first."""

    exit_code = 5


class EvidenceNotShared(InspectionError):
    """The evidence folder is not the main machine's: mount that one, with locks that hold on all machines."""

    exit_code = 5
