"""The forms of a page: where they send what a visitor enters."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

from lxml.html import HtmlElement

from checks.facts.dom import Dom, FormElement, normalise, visible_text
from checks.facts.model import Form

MAX_TEXT = 200  # characters of a form's text, and of a field's value
MAX_LOOSE = 100  # fields outside forms

_PRESSED = frozenset({"submit", "button", "image", "reset"})
_OPTIONS = 50  # of one choice


def read_forms(dom: Dom) -> tuple[Form, ...]:
    """Return the forms that are shown, in reading order. One without an action goes to the page itself."""
    return tuple(_form(dom, form) for form in dom.forms)


def read_loose_fields(dom: Dom) -> tuple[tuple[str, str, str], ...]:
    """Return the fields that stand outside every form, as a form has them: only scripts send what is entered there."""
    owned = {control for form in dom.forms for control in form.controls}
    loose = (control for control in dom.root.iter("input", "textarea") if control not in owned)
    return tuple(_field(control) for control in islice(loose, MAX_LOOSE))


def _form(dom: Dom, form: FormElement) -> Form:
    action = (form.element.get("action") or "").strip() or dom.url or ""
    words = (visible_text(form.element), *_pressed(form))
    return Form(
        action=dom.web_address(action),
        method="POST" if (form.element.get("method") or "").strip().lower() == "post" else "GET",
        fields=tuple(_field(control) for control in form.controls if control.tag != "button" or control.get("name")),
        text=normalise(" ".join(words))[:MAX_TEXT],
    )


def _pressed(form: FormElement) -> Iterator[str]:
    """What stands on the buttons that are inputs."""
    for control in form.controls:
        if control.tag == "input" and _type(control) in _PRESSED:
            yield control.get("value") or control.get("alt") or ""


def _field(control: HtmlElement) -> tuple[str, str, str]:
    value = _choice(control) if control.tag == "select" else control.get("value") or control.get("placeholder") or ""
    return control.get("name") or "", _type(control), normalise(value)[:MAX_TEXT]


def _type(control: HtmlElement) -> str:
    if control.tag != "input":
        return str(control.tag)
    return (control.get("type") or "text").strip().lower()


def _choice(select: HtmlElement) -> str:
    """The value sent unless the visitor chooses another: the option marked as selected, else the first."""
    options = list(islice(select.iter("option"), _OPTIONS))
    chosen = next((option for option in options if option.get("selected") is not None), options[0] if options else None)
    if chosen is None:
        return ""
    value = chosen.get("value")
    return visible_text(chosen, 10) if value is None else value
