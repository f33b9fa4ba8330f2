"""Errors a caller can act on; the docstring of each names the fix."""

from __future__ import annotations


class InspectionError(Exception):
    """Base of what goes wrong in an inspection; the message is one Chinese sentence with the fix."""

    exit_code = 2


class UnknownUnitError(InspectionError):
    """No unit of that name: pick one of the suggestions, or add the name to the unit's aliases in sites.toml."""


class NothingToResume(InspectionError):
    """There is no unfinished run for the day: start one without --resume."""


class RunInProgress(InspectionError):
    """Another process is working on the run: wait for it, or stop it, then resume."""


class ConfigurationChanged(InspectionError):
    """The configuration is not the one that the run was begun with: restore it, or start a new run."""


class NothingCaptured(InspectionError):
    """Not one page could be captured: check the machine's network and whether the sites block its address."""

    exit_code = 4


class ClockWrong(InspectionError):
    """The machine's clock has another day than the sites: set it (NTP), then inspect again."""

    exit_code = 4


class EvidenceUnavailable(InspectionError):
    """What a night was judged by is there no more, or damaged: bring the file that is named back from the backup."""

    exit_code = 5


class InvalidInput(InspectionError):
    """Something typed can't be understood: the message says how to write it."""


class NothingToExport(InspectionError):
    """No finished run saw the unit on those days: choose other days, or run an inspection first."""


class NotInspected(InspectionError):
    """No finished run saw the unit: run an inspection first, or name a run that did."""
