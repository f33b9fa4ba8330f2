"""A page's source before it is parsed: what no browser gets is taken out, and what no parser should get is cut."""

from __future__ import annotations

import re

LONG_PAGE = 100_000  # characters: in a shorter page no tag can hold enough to slow a parser down
LONG_TAG = 4_000  # characters
MAX_ATTRIBUTES = 500  # of one tag; a parser compares each with all before it

_CONTROLS = tuple(map(chr, (*range(0x09), 0x0B, *range(0x0E, 0x20), 0x7F)))
_OTHER_BYTES = bytes({*range(256)} - {*map(ord, _CONTROLS)})
_DIRECTIVE_TAG = re.compile(r"</?jsp:[^<>]{0,2000}>", re.I)
_MARKUP = re.compile(r"<!--|<(script|style|textarea|title|xmp|noembed|noframes|iframe)\b|<[a-z]", re.I)
_REST_OF_TAG = re.compile(r"""(?:[^>"'=]++|=\s*+"[^"]*+"|=\s*+'[^']*+'|["'=])*+>?""")
_QUOTED = re.compile(r"""=\s*+(?:"[^"]*+"|'[^']*+')""")
_ATTRIBUTE = re.compile(r"\s[^\s=>/]")


def may_hold_controls(body: bytes) -> bool:
    """Tell whether there may be control characters in what bytes say, in whatever encoding."""
    return bool(body.translate(None, _OTHER_BYTES))


def cleaned(text: str, *, has_controls: bool = True) -> str:
    """Return the source without control characters, server-side directives and tags of absurdly many attributes."""
    for control in _CONTROLS if has_controls else ():
        text = text.replace(control, " ")
    return _without_crowded_tags(_without_directives(text))


def _without_directives(text: str) -> str:
    """Take out server-side directives (<%@ … %>, <%-- … --%>, <jsp:include …>) that a server should have eaten."""
    parts: list[str] = []
    position = 0
    while (start := text.find("<%", position)) >= 0 and (end := text.find("%>", start)) >= 0:
        parts.append(text[position:start])
        position = end + 2
    parts.append(text[position:])
    text = "".join(parts)
    return _DIRECTIVE_TAG.sub("", text) if "jsp:" in text else text


def _without_crowded_tags(text: str) -> str:
    """Take out tags with more than MAX_ATTRIBUTES attributes; scripts, styles and comments are passed over."""
    if len(text) <= LONG_PAGE:
        return text
    parts: list[str] = []
    position = copied = 0
    while (match := _MARKUP.search(text, position)) is not None:
        if match[0] == "<!--":
            position = _behind(text, "-->", match.end())
            continue
        rest = _REST_OF_TAG.match(text, match.end())
        position = rest.end() if rest else match.end()
        if position - match.start() > LONG_TAG and _is_crowded(text[match.start() : position]):
            parts.append(text[copied : match.start()])
            copied = position
        if match[1]:
            position = _behind(text, f"</{match[1]}", position)
    parts.append(text[copied:])
    return "".join(parts)


def _is_crowded(tag: str) -> bool:
    return len(_ATTRIBUTE.findall(_QUOTED.sub("", tag))) > MAX_ATTRIBUTES


def _behind(text: str, ending: str, start: int) -> int:
    """The place behind the next ending, in any case; the end of the text where none comes."""
    found = re.compile(re.escape(ending), re.I).search(text, start)
    return found.end() if found else len(text)
