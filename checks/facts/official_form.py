"""What tells an official document (公文) from news, photos, bids, interviews and interpretations.

The signs are those of the form that GB/T 9704—2012 prescribes. Besides the number (发文字号, 7.2.5) there are four:

- title (7.3.1): it ends in a kind of document that addresses someone or settles something (…的通知, 意见, 办法 …);
- recipients (主送机关, 7.3.2): a line such as 各乡镇人民政府，区政府各部门： before the text;
- signature (署名 and 成文日期, 7.3.5): below the text an organ's name with a date beside or under it;
- label_table (要素表): a label table with at least two of a document's labels filled in.

A page is an official document when it bears a number, or at least two of the four. One sign alone never is enough:
platforms put label tables over news, companies sign bids, and news quotes titles. Announcements (公告, 通告, 公示)
have no sign in their title, for most of them (recruitment, results) are no documents; with a number, or two other
signs, they are. An interpretation (政策解读, 图解, 答记者问) is never a document, though it may show the number of the
one it explains; a bid notice is none without a number in its own text.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from checks.facts.document import doc_number_in, doc_number_in_head, head_lines, label_value
from checks.facts.dom import Dom, Region
from checks.facts.labels import LabelPair, compact, is_document_label
from checks.facts.model import Document, OfficialForm

DOC_NUMBER = "doc_number"
LABEL_TABLE = "label_table"
TITLE = "title"
RECIPIENTS = "recipients"
SIGNATURE = "signature"

MAX_RECIPIENTS = 200  # characters
MAX_ORGAN = 40  # characters
HEAD_LINES = 12  # of a file: letterhead, number, title and recipients stand there
MOST_LINES = 3000  # of a file that are looked at

_KINDS = (
    "通知|意见|决定|决议|通报|批复|复函|函|命令|议案|请示|报告|纪要|方案|办法|规定|细则|规则|规程|条例|规划|计划|要点|预案|制度|措施"
    "|标准|指南|清单"
)
_TITLE = re.compile(
    rf"(?:.{{0,40}}(?:关于|印发|转发|批转).{{2,200}}(?:{_KINDS})|.{{2,60}}(?:办法|规定|细则|规则|规程|条例|工作要点|实施方案|应急预案))"
    r"(?:[（(〔\[][^（()）]{1,30}[)）〕\]]){0,2}"
)
_INTERPRETATION = re.compile(
    r"^[【\[（(]?(?:政策|文件|一图|图文|图说|动漫|视频|专家)?(?:解读|图解|读懂|解析)|一图读懂|一图看懂|答记者问|新闻发布会|访谈"
    r"|(?:解读|图解|问答|解析|说明|起草说明)[）)】\]]?$"
)
_BID = re.compile(
    r"(?:中标|成交|招标|采购|磋商|询价|比选|竞价|竞标|流标|废标|开标|评标|投标|预审|拍卖|挂牌|出让).{0,40}"
    r"(?:公告|公示|结果|通知书|邀请函?)$"
)
_ORGAN = (
    "政府|办公室|办公厅|办|局|委员会|管委会|[党工]委|[县市区镇乡]委|厅|部|部委|院|处|所|站|中心|公司|学校|中学|小学|幼儿园"
    "|大队|支队|指挥部|领导小组|银行|馆|集团|联合会|红十字会|残联|工商联|总工会|妇联|团委|法院|检察院|协会|研究会"
)
_HAN = "[一-鿿·]"
_GROUP = (
    "乡|镇|街道|[县市区州旗省]|部门|单位|机关|机构|科室|股室|企业|商户|院校|高校|医院|村|社区|组织|团体|场所|直属|园区"
    "|委办局|地"
)
_ORGAN_NAME = re.compile(rf"{_HAN}{{2,40}}(?:{_ORGAN})")
_GROUPS = re.compile(rf"{_HAN}{{0,40}}(?:{_ORGAN}|{_GROUP})")
_EACH = re.compile("各|所属|直属|有关|相关")
_YOU = re.compile("你(?:局|委|办|厅|公司|单位|[镇乡区县市]|街道|院|中心|校)[:：]")  # of replies
_IN_BRACKETS = re.compile("[（(][^（）()]{0,60}[)）]")
_NO_RECIPIENTS = re.compile("如下|朋友|同志|读者|尊敬|网友|各位|来源")
_FIGURE = "[0-9０-９〇○零OoＯ元一二三四五六七八九十廿卅]"
_DATE = rf"{_FIGURE}{{4}}年{_FIGURE}{{1,4}}月?{_FIGURE}{{1,4}}日?"  # 月 gets lost in scanned texts
_DATE_LINE = re.compile(rf"[（(]?{_DATE}(?:印发)?[)）]?")
_SEAL = "(?:[（(](?:盖章|代章|印章?)[)）])?"
_ORGAN_LINE = re.compile(rf"[（(]?[一-鿿（）()·、]{{2,{MAX_ORGAN}}}(?:{_ORGAN})[)）]?{_SEAL}")
_SIGNED = re.compile(rf"[一-鿿（）()·、]{{2,{MAX_ORGAN}}}(?:{_ORGAN}){_SEAL}{_DATE}(?:印发)?")
_SENTENCE = re.compile("[。；！？]")
_NAV_LINE = re.compile(r"来源|发布|作者|浏览|字号|字体")


def read_form(dom: Dom, pairs: Sequence[LabelPair], document: Document, title: str) -> OfficialForm:
    """Tell whether the page is an official document, and by which signs (see the rule above).

    `title` is the page's title without the site's name; `document` what read_document found.
    """
    written = compact(title)
    signs = tuple(_signs(dom, pairs, document, written))
    if _INTERPRETATION.search(written) and not _is_document_title(written):
        return OfficialForm(False, signs)
    if _BID.search(written):
        return OfficialForm(doc_number_in_head(dom) is not None, signs)
    return OfficialForm(DOC_NUMBER in signs or len(signs) >= 2, signs)


def form_of_text(title: str, text: str) -> OfficialForm:
    """Tell whether a file is an official document, and by which signs, its label table apart; `text` a line a block.

    `title` is what the file is called where it is linked.
    """
    lines = [compact(line) for line in text.splitlines()[:MOST_LINES] if line.strip()]
    head, written = lines[:HEAD_LINES], compact(title)
    found = {
        DOC_NUMBER: any(doc_number_in(line) for line in head),
        TITLE: any(_is_document_title(line) for line in (written, *head[:4])),
        RECIPIENTS: any(_is_recipients(line) for line in head),
        SIGNATURE: _is_signed(lines),
    }
    signs = tuple(sign for sign, present in found.items() if present)
    if any(_INTERPRETATION.search(line) or _BID.search(line) for line in (written, *head[:1])):
        return OfficialForm(False, signs)
    return OfficialForm(DOC_NUMBER in signs or len(signs) >= 2, signs)


def _signs(dom: Dom, pairs: Sequence[LabelPair], document: Document, title: str) -> Iterator[str]:
    if document.doc_number and doc_number_in(document.doc_number):
        yield DOC_NUMBER
    if has_label_table(pairs):
        yield LABEL_TABLE
    if _is_document_title(title):
        yield TITLE
    if any(_is_recipients(compact(line.text)) for line in head_lines(dom)):
        yield RECIPIENTS
    if _is_signed(compact(block.text) for block in dom.blocks if block.region is Region.MAIN):
        yield SIGNATURE


def has_label_table(pairs: Sequence[LabelPair]) -> bool:
    """Tell whether the page has a document's label table (要素表): at least two of its labels with a value."""
    return len({pair.label for pair in pairs if is_document_label(pair.label) and label_value(pair.value)}) >= 2


def _is_document_title(title: str) -> bool:
    return _TITLE.fullmatch(title) is not None and not _INTERPRETATION.match(title)


def _is_recipients(line: str) -> bool:
    """各乡镇人民政府，区政府各部门： — every part between the commas is an organ, or a group of them after 各."""
    if _YOU.fullmatch(line):
        return True
    if not 5 <= len(line) <= MAX_RECIPIENTS or not line.endswith(("：", ":")) or _NO_RECIPIENTS.search(line):
        return False
    parts = re.split("[、，,；;]", _IN_BRACKETS.sub("", line[:-1]))
    groups = False
    for part in parts:
        groups = groups or _EACH.search(part) is not None
        if not (_GROUPS if groups else _ORGAN_NAME).fullmatch(part):
            return False
    return True


def _is_signed(lines: Iterable[str]) -> bool:
    """An organ's line and a date below (or beside) it, somewhere after the first sentence."""
    below_text = False
    organ_at = -9
    for index, line in enumerate(lines):
        if not below_text:
            below_text = len(line) > 15 and _SENTENCE.search(line) is not None
            continue
        if len(line) > 2 * MAX_ORGAN or _NAV_LINE.search(line):
            continue
        if "年" in line and (_SIGNED.fullmatch(line) or (_DATE_LINE.fullmatch(line) and index - organ_at <= 3)):
            return True
        if len(line) <= MAX_ORGAN and _ORGAN_LINE.fullmatch(line):
            organ_at = index
    return False
