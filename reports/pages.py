"""网页报告: how reports become HTML documents that need nothing else: no network, no script, no other file.

Text of inspected pages is hostile: everything is escaped, only http(s) addresses become links, and each page's own
policy has the browser refuse whatever it does not need.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from reports.daily import web_link
from reports.plain_text import plain_text

_TEMPLATES = Path(__file__).parent / "templates"


def page(template: str, values: Mapping[str, Any], filters: Mapping[str, Callable[..., Any]]) -> bytes:
    """Return the filled template in UTF-8, its texts without what no reader may be shown (`plain_text`)."""
    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_plain,
    )
    environment.filters |= {"web_link": web_link, **filters}
    return environment.get_template(template).render(values).encode("utf-8", "replace")


def _plain(value: Any) -> Any:
    return plain_text(value) if isinstance(value, str) and not isinstance(value, Markup) else value
