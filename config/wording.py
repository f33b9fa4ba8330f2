"""Schema errors in Chinese: pydantic's error details become problems that name the place, the mistake and the fix."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from typing import Any, get_args

from pydantic import BaseModel
from pydantic_core import ErrorDetails

from config.problem import Problem

KINDS = {
    "string": "用引号括起来的文字",
    "int": "整数",
    "float": "数字",
    "decimal": "数字",
    "bool": "true 或 false",
    "tuple": "方括号括起来的一列",
    "dict": "一张表",
    "model": "一张表",
    "date": "日期，如 2020-11-03",
    "time": "时刻，如 01:30:00",
}

BOUNDS = {
    "greater_than": "大于 {gt}",
    "greater_than_equal": "不小于 {ge}",
    "less_than": "小于 {lt}",
    "less_than_equal": "不大于 {le}",
}


def describe(root: type[BaseModel], file: str, detail: ErrorDetails, table: Mapping[str, Any]) -> Problem | None:
    """Turn one pydantic error of the file that `root` describes into a problem.

    None when it only echoes another that names the very place.
    """
    if _inherited(detail, table) or _emptied(detail):
        return None
    message, fix = _sentences(detail, root)
    subject = _subject(detail["loc"], table)
    return Problem(file, dotted(detail["loc"]), f"{subject}{message}", fix)


def dotted(location: Sequence[int | str]) -> str:
    """Write a location as TOML people read it: ("unit", 3, "column", 0, "type") -> unit[3].column[0].type"""
    text = ""
    for part in location:
        if isinstance(part, int):
            text += f"[{part}]"
        elif part != "[key]":
            text += f".{part}" if text else part
    return text


def _inherited(detail: ErrorDetails, table: Mapping[str, Any]) -> bool:
    """Whether a column's error comes from its template: the unit does not have that column, or not that key."""
    location = detail["loc"]
    if len(location) < 4 or location[0] != "unit" or location[2] != "column":
        return False
    own = table["unit"][location[1]].get("column", [])
    index = location[3]
    if not isinstance(index, int) or not isinstance(own, list):
        return False
    if index >= len(own):
        return True
    return (
        len(location) > 4
        and isinstance(own[index], dict)
        and detail["type"] != "missing"
        and location[4] not in own[index]
    )


def _emptied(detail: ErrorDetails) -> bool:
    """Whether a list is called too short only because its entries, each told on its own, were refused."""
    return detail["type"] == "too_short" and bool(detail["input"])


def _subject(location: Sequence[int | str], table: Mapping[str, Any]) -> str:
    """Name the unit, site, row or expression that a place lies in, so that nobody has to count brackets."""
    if len(location) < 2 or not isinstance(location[0], str) or not isinstance(location[1], int):
        return ""
    entries = table.get(location[0])
    entry = entries[location[1]] if isinstance(entries, list) and location[1] < len(entries) else None
    name = entry.get("name") or entry.get("id") or entry.get("right") if isinstance(entry, dict) else None
    return f"“{name}”：" if isinstance(name, str) and len(location) > 2 else ""


def _sentences(detail: ErrorDetails, root: type[BaseModel]) -> tuple[str, str]:
    kind, key = detail["type"], str(detail["loc"][-1])
    context = detail.get("ctx", {})
    if kind == "extra_forbidden":
        return f"没有“{key}”这个键", _spelling(key, _keys_beside(root, detail["loc"]), "删掉它")
    if kind == "missing":
        return f"缺少“{key}”", f"补上 {key} = …"
    if kind in BOUNDS:
        return f"数值 {detail['input']} 超出范围", f"改为{BOUNDS[kind].format(**context)} 的数"
    if kind in ("enum", "literal_error"):
        choices = str(context.get("expected", "")).replace("'", "").replace(" or ", ", ").split(", ")
        return f"不认识“{detail['input']}”", _spelling(
            str(detail["input"]), choices, f"只能写其中之一：{'、'.join(choices)}"
        )
    return _value_sentences(detail)


def _value_sentences(detail: ErrorDetails) -> tuple[str, str]:
    kind, value = detail["type"], detail["input"]
    if kind == "web_address":
        return f"网址“{value}”不合格式", "写完整的地址，以 http:// 或 https:// 开头，中间没有空格"
    if kind == "credentials":
        return "网址里有用户名或口令", "去掉网址里 @ 和它前面的部分：巡查只看不用登录的网页"
    if kind == "networks":
        return "内网地址的写法不对", '写成网段的清单，如 ["10.3.0.0/16", "192.168.8.8/32"]；只有演示才写 true'
    if kind == "string_pattern_mismatch":
        return f"“{value}”不合格式", _pattern_fix(str(detail.get("ctx", {}).get("pattern", "")))
    if kind in ("too_short", "string_too_short"):
        return "不能是空的", "至少写一个"
    if kind == "tuple_type" and isinstance(value, dict):
        table = ".".join(part for part in detail["loc"] if isinstance(part, str))
        return "可以有几个，方括号却只写了一层", f"把 [{table}] 写成 [[{table}]]"
    expected = KINDS.get(kind.partition("_")[0])
    return f"值 {_shown(value)} 的写法不对", f"应写{expected}" if expected else f"改正此处（{detail['msg']}）"


def _pattern_fix(pattern: str) -> str:
    """Say in words what the schema's patterns ask for."""
    return {
        r"^\d{6}$": "写六位数字的行政区划代码",
        r"^(\d{10}|bm\d{8})$": "写十位数字的网站标识码，或 bm 加八位数字",
        r"^[A-Za-z0-9+/]{43}=$": "照 inspect evidence keygen 打印的公钥写，共 44 个字符",
        r"^[a-z][a-z0-9_-]*$": "用小写字母开头，只用小写字母、数字、_ 和 -",
    }.get(pattern, f"须符合 {pattern}")


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 40 else f"{text[:40]}…"


def _spelling(word: str, known: Sequence[str], otherwise: str) -> str:
    close = difflib.get_close_matches(word, known, n=1, cutoff=0.6)
    return f"是不是“{close[0]}”？若不是，{otherwise}" if close else otherwise


def _keys_beside(root: type[BaseModel], location: Sequence[int | str]) -> list[str]:
    """Return the keys that the schema knows in the table where a key was refused."""
    model: type[BaseModel] | None = root
    for part in location[:-1]:
        if isinstance(part, str) and model is not None:
            model = _model_under(model, part)
    return [field.alias or name for name, field in model.model_fields.items()] if model else []


def _model_under(model: type[BaseModel], key: str) -> type[BaseModel] | None:
    for name, field in model.model_fields.items():
        if key in (name, field.alias):
            candidates = (field.annotation, *get_args(field.annotation))
            return next((c for c in candidates if isinstance(c, type) and issubclass(c, BaseModel)), None)
    return None
