"""The made-up pages under fixtures/html, each with the facts expected of it beside it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from checks.facts.dom import Dom, parse

FIXTURES = Path(__file__).parents[3] / "fixtures" / "html"
AS_OF = date(2026, 11, 23)


@dataclass(frozen=True)
class FixturePage:
    """A page and what should be read off it."""

    name: str
    body: bytes
    expected: dict[str, Any]

    @property
    def dom(self) -> Dom:
        return parse(self.body, url=f"http://www.example.gov.cn/{self.name}.html")


def fixture_pages(folder: str) -> list[FixturePage]:
    """Return the pages of a folder, in the order of their names."""
    paths = sorted((FIXTURES / folder).glob("*.html"))
    assert paths, f"no fixtures in {folder}"
    return [FixturePage(p.stem, p.read_bytes(), json.loads(p.with_suffix(".json").read_text())) for p in paths]


def page_of(markup: str) -> Dom:
    """Return the Dom of a piece of markup put into an otherwise empty page."""
    return parse(f"<html><head><meta charset=utf-8></head><body>{markup}</body></html>".encode())
