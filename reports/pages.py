"""网页报告: how reports become HTML documents that need nothing else: no network, no script, no other file.

Text of inspected pages is hostile: everything is escaped, only http(s) addresses become links, and each page's own
policy has the browser refuse whatever it does not need.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from reports.daily import web_link

_TEMPLATES = Path(__file__).parent / "templates"


def page(template: str, values: Mapping[str, Any], filters: Mapping[str, Callable[..., Any]]) -> bytes:
    """Return the filled template in UTF-8; what UTF-8 cannot write becomes a question mark."""
    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"web_link": web_link, **filters}
    return environment.get_template(template).render(values).encode("utf-8", "replace")
