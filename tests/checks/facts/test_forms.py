"""Forms are told with all that a browser would send."""

from __future__ import annotations

from checks.facts.dom import MAX_CONTROLS, MAX_FORMS, parse
from checks.facts.forms import MAX_TEXT, read_forms, read_loose_fields
from checks.facts.model import Form

BASE = "http://www.yunxi.example/dt/index.html"


def forms(markup: str, url: str | None = BASE) -> tuple[Form, ...]:
    return read_forms(parse(markup.encode(), url=url))


def test_a_search_form() -> None:
    (form,) = forms(
        "<form action='/search/index.jsp' method=get>站内搜索"
        "<input name=q placeholder=请输入关键字><input type=hidden name=site value=12 style='display:none'>"
        "<select name=scope><option value=title>标题<option value=text selected>全文</select>"
        "<input type=submit value=搜索></form>"
    )
    assert form == Form(
        action="http://www.yunxi.example/search/index.jsp",
        method="GET",
        fields=(
            ("q", "text", "请输入关键字"),
            ("site", "hidden", "12"),
            ("scope", "select", "text"),
            ("", "submit", "搜索"),
        ),
        text="站内搜索 搜索",
    )


def test_a_form_without_action_goes_to_its_page() -> None:
    (form,) = forms("<form METHOD=Post><textarea name=body></textarea><button name=go>提交</button></form>")
    assert (form.action, form.method) == (BASE, "POST")
    assert form.fields == (("body", "textarea", ""), ("go", "button", ""))
    assert form.text == "提交"


def test_choices_without_values_send_their_text() -> None:
    (form,) = forms("<form><select name=a><option>通知<option>公告</select><select name=b></select></form>")
    assert form.fields == (("a", "select", "通知"), ("b", "select", ""))


def test_hidden_forms_are_not_told() -> None:
    assert forms("<div style='display:none'><form action=/a><input name=q></form></div><form hidden></form>") == ()


def test_script_actions_lead_nowhere() -> None:
    (form,) = forms("<form action='javascript:search()'><input name=q></form>")
    assert form.action == ""


def test_forms_are_bounded() -> None:
    assert len(forms("<form><input></form>" * (MAX_FORMS + 5))) == MAX_FORMS
    (form,) = forms(f"<form>{'<input name=a>' * (MAX_CONTROLS + 5)}{'字' * 500}</form>")
    assert (len(form.fields), len(form.text)) == (MAX_CONTROLS, MAX_TEXT)


def test_fields_outside_every_form_are_told_apart() -> None:
    page = "<form><input name=in></form><input id=kw placeholder=请输入><input style='display:none' name=unseen>"
    assert read_loose_fields(parse(page.encode(), url=BASE)) == (("", "text", "请输入"),)
    assert [name for form in forms(page) for name, _, _ in form.fields] == ["in"]
