"""站内搜索的表单: which form of a page searches the site, and what a search with it sends. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import urlencode, urlsplit, urlunsplit

from checks.facts.model import Form, PageFacts

TEXT_FIELDS = frozenset({"text", "search"})
SENT_AS_THEY_ARE = frozenset({"hidden", "select"})
WORDS = re.compile(r"搜索|检索|搜一搜|站内查询|全文查询|关键[字词]")
CODES = re.compile(r"search|sousuo|jiansuo|query|keyword|(?:^|[/?&_.-])(?:q|wd|kw|so)(?:[/?=&_.-]|$)", re.IGNORECASE)
NO_SEARCH = frozenset({"password", "file", "textarea"})  # forms with such a field are for something else


@dataclass(frozen=True, slots=True)
class SearchForm:
    """A form that searches; `field` is the name of what the visitor types."""

    form: Form
    field: str

    def request(self, query: str, charset: str) -> tuple[str, bytes]:
        """Return the URL and the body (empty for GET) that a search for `query` sends, encoded as the page is."""
        pairs = [(name, value) for name, kind, value in self.form.fields if name and kind in SENT_AS_THEY_ARE]
        sent = urlencode([*pairs, (self.field, query)], encoding=charset, errors="xmlcharrefreplace")
        if self.form.method == "POST":
            return self.form.action, sent.encode("ascii")
        return urlunsplit(urlsplit(self.form.action)._replace(query=sent, fragment="")), b""


def search_form(page: PageFacts) -> SearchForm | None:
    """Return the first form of the page that searches and says where it sends what; None when there is none."""
    for form in page.forms:
        if any(kind in NO_SEARCH for _, kind, _ in form.fields) or not form.action.startswith(("http://", "https://")):
            continue
        named = [(name, words) for name, kind, words in form.fields if name and kind in TEXT_FIELDS]
        if len(named) == 1 and _searches(form, *named[0]):
            return SearchForm(form, named[0][0])
    return None


def hints_at_search(page: PageFacts) -> bool:
    """Whether anything on the page speaks of searching, or takes text: a box that a script serves looks like this."""
    fields = [*(field for form in page.forms for field in form.fields), *page.loose_fields]
    told = [page.text, *(link.text for link in page.links), *(words for _, _, words in fields)]
    links = (link.url for link in page.links)
    coded = [*links, *(form.action for form in page.forms), *page.scripts, *page.frames, *page.images]
    return (
        any(kind in TEXT_FIELDS for _, kind, _ in fields)
        or any(WORDS.search(text) for text in told)
        or any(CODES.search(url) for url in coded)
    )


def _searches(form: Form, name: str, words: str) -> bool:
    told = f"{words} {form.text}"
    return bool(WORDS.search(told) or CODES.search(urlsplit(form.action).path) or CODES.search(name))
