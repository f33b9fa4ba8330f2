"""定稿: a year's result as JSON-like data and back, exactly: fractions and decimals stay as their own text. Pure."""

from __future__ import annotations

from typing import Any

from pydantic import TypeAdapter

from scoring.annual import Annual

_ANNUAL = TypeAdapter(Annual)


def document_of(annual: Annual) -> dict[str, Any]:
    """Return the result as plain data; `annual_of` gives it back as it was, to the last digit."""
    document: dict[str, Any] = _ANNUAL.dump_python(annual, mode="json")
    return document


def annual_of(document: dict[str, Any]) -> Annual:
    """Return the result that `document_of` wrote down; raises pydantic's ValidationError for anything else."""
    return _ANNUAL.validate_python(document)
