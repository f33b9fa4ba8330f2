"""机关代字: which organ a document number names, and whether that is another than the stated issuer.

A code such as 石栾教 is made of a place (石栾) and a word for the organ (教). The words are few and customary; only
when one of them, and nothing else but a place of at most two characters, stands in the code is the organ certain.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from checks.facts.labels import compact

ISSUER_LABELS = frozenset({"发文机关", "发文单位", "发文机构", "制发机关", "制发单位", "制文机关"})
CODE = re.compile(r"([\u4e00-\u9fff]{2,12})[〔\[（(［【](?:19|20)\d{2}[〕\])）］】]")
KIND = re.compile(
    r"(?:公告|通告|公示|办|函|发|字|通|规|告|令|报|请|党|组)+$"
)  # 文种 and 办, which follow the organ's word
MAX_PLACE = 2


@dataclass(frozen=True, slots=True)
class Organ:
    """An organ: its name, the words that mean it in a code, and the words that mean it in an issuer's name."""

    name: str
    codes: tuple[str, ...]
    issuers: tuple[str, ...]


ORGANS = (
    Organ("政府（办公室）", ("政", "镇政", "乡政"), ("人民政府", "政府办")),
    Organ("发展和改革部门", ("发改",), ("发展和改革", "发展改革", "发改")),
    Organ("教育部门", ("教", "教育"), ("教育",)),
    Organ("科技和工业部门", ("科工", "工信"), ("科工", "科技", "科学技术", "工业")),
    Organ("公安机关", ("公",), ("公安",)),
    Organ("市场监管部门", ("市监", "市管"), ("市场监",)),
    Organ("财政部门", ("财",), ("财政",)),
    Organ("人力资源社会保障部门", ("人社",), ("人力资源", "人社")),
    Organ("文化旅游部门", ("文旅", "文广"), ("文化", "文广", "旅游", "文旅")),
    Organ("卫生健康部门", ("卫健", "卫"), ("卫生", "卫健")),
    Organ("民政部门", ("民", "民政"), ("民政",)),
    Organ("住房城乡建设部门", ("住建",), ("住房", "住建", "建设局")),
    Organ("水利部门", ("水", "水利"), ("水利", "水务")),
    Organ("生态环境部门", ("环",), ("环境",)),
    Organ("城市管理部门", ("城管",), ("城市管理", "城管", "综合执法", "综合行政执法")),
    Organ("交通运输部门", ("交",), ("交通",)),
    Organ("农业农村部门", ("农",), ("农业", "农村")),
    Organ("应急管理部门", ("应急",), ("应急",)),
    Organ("统计部门", ("统",), ("统计",)),
    Organ("自然资源和规划部门", ("资规", "自然资"), ("自然资源", "规划")),
    Organ("退役军人事务部门", ("退役",), ("退役",)),
    Organ("审计机关", ("审",), ("审计",)),
    Organ("医疗保障部门", ("医保",), ("医疗保障", "医保")),
    Organ("行政审批部门", ("行审", "审批", "审改"), ("行政审批", "审批局")),
    Organ("司法行政部门", ("司",), ("司法",)),
    Organ("气象部门", ("气",), ("气象",)),
)
_BY_CODE = sorted(((code, organ) for organ in ORGANS for code in organ.codes), key=lambda pair: -len(pair[0]))


def names_another_organ(number: str, issuer: str, labels: tuple[tuple[str, str], ...]) -> str | None:
    """Return the name of the organ that the number's code means when the issuer is certainly another, else None.

    Judged only where a label such as 发文机关 names the issuer: 发布机构 may rightly publish another organ's document.
    """
    stated = any(label in ISSUER_LABELS and value.strip() == issuer.strip() for label, value in labels)
    if not stated or not issuer.strip():
        return None
    if (coded := organ_of_code(number)) is None:
        return None
    named = {organ.name for organ in organs_in(issuer)}
    return coded.name if named and coded.name not in named else None


def organs_in(name: str) -> tuple[Organ, ...]:
    """Return the organs that an issuer's or a unit's name means; there is no 民政 in 人民政府."""
    government, rest = ORGANS[0], name.replace("人民政府", "")
    others = (organ for organ in ORGANS[1:] if any(word in rest for word in organ.issuers))
    return (*((government,) if any(word in name for word in government.issuers) else ()), *others)


def organ_of_code(number: str) -> Organ | None:
    """Return the organ that the document number's code certainly means, or None."""
    match = CODE.match(compact(number))
    if match is None:
        return None
    code = KIND.sub("", match.group(1))
    found: list[Organ] = []
    for word, organ in _BY_CODE:
        if word in code:
            code = code.replace(word, "", 1)
            found.append(organ)
    return found[0] if len(found) == 1 and len(code) <= MAX_PLACE else None
