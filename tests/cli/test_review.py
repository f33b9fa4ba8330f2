"""`inspect review`: what people do about faults, and what `inspect findings` tells of it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from checks.model import Finding
from inspection.day import day_in
from inspection.place import Place, opened
from inspection.run import today
from inspection.settings import resolve
from scoring.review import FaultState, Step
from storage.database import Database
from storage.model import Fault
from tests.cli.conftest import Answer, Inspect
from tests.inspection.nights import FAULTY, FINE, PAGE, Nights
from tests.made_district import write_made_config

OTHER = replace(FAULTY, target=f"{PAGE}?other", check="document_metadata", reason="missing_number")
ELSEWHERE = replace(FAULTY, target="http://www.luancheng.test/b/2.html")
ALL = (FAULTY, OTHER, ELSEWHERE)
BY = ("--by", "张三")


@pytest.fixture(scope="module")
def made_up(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("made-up") / "config"
    write_made_config(date(2026, 11, 23), folder)
    return folder


@pytest.fixture
def config(made_up: Path) -> Path:
    """The configuration of the made-up district, on which nights can be made."""
    return made_up


@pytest.fixture
def place(inspect: Inspect, monkeypatch: pytest.MonkeyPatch) -> Iterator[Place]:
    monkeypatch.delenv("INSPECT_REVIEWER", raising=False)
    with opened(resolve()) as place:
        yield place


@pytest.fixture
def day(place: Place) -> date:
    return today(place)


@pytest.fixture
def nights(place: Place, monkeypatch: pytest.MonkeyPatch) -> Nights:
    return Nights(place, monkeypatch)


@pytest.fixture
def numbers(nights: Nights, day: date) -> tuple[str, str, str]:
    """The numbers of three faults that last night saw."""
    nights.night(day, *ALL)
    return number(nights, FAULTY), number(nights, OTHER), number(nights, ELSEWHERE)


def number(nights: Nights, finding: Finding) -> str:
    return str(nights.fault(finding).finding_id)


def states(nights: Nights, *findings: Finding) -> list[FaultState]:
    return [nights.state(finding) for finding in findings or ALL]


def ok(answer: Answer) -> Answer:
    assert answer.code == 0, answer.err
    return answer


# ---------------------------------------------------------------- the life of a fault


def test_a_fault_is_ordered_mended_and_seen_mended(inspect: Inspect, nights: Nights, numbers: tuple[str, ...]) -> None:
    day = today(nights.place)
    until = day + timedelta(days=7)
    said = ok(inspect("review", "rectify", numbers[0], "--until", str(until), *BY, "--why", "限期整改")).out
    assert "已办理“责令整改”：1 个问题" in said
    (fault,) = inspect("review", "list", "--state", "整改中", "--json").document["faults"]
    assert (fault["id"], fault["deadline"], fault["days_left"]) == (int(numbers[0]), str(until), 7)
    assert fault["last"] == {"by": "张三", "step": "责令整改", "day": str(day)}
    nights.night(day + timedelta(days=1), FINE)
    shown = inspect("findings", "show", numbers[0], "--json").document
    assert shown["state"] == "已整改"
    assert [(step["by"], step["step"]) for step in shown["review"]] == [
        ("程序", "发现"),
        ("张三", "责令整改"),
        ("程序", "查见已改"),
    ]
    assert shown["review"][1]["why"] == "限期整改"
    assert shown["review"][1]["recorded_at"]


def test_an_appeal_is_decided_by_another_person(inspect: Inspect, nights: Nights, numbers: tuple[str, ...]) -> None:
    ok(inspect("review", "appeal", numbers[0], "--why", "附件里已标注", *BY))
    refused = inspect("review", "decide", numbers[0], "--revoke", "--why", "属实", *BY)
    assert refused.code == 2
    assert f"第 {numbers[0]} 号：申诉要由另一人裁定" in refused.err
    assert nights.state() is FaultState.APPEALED
    ok(inspect("review", "decide", numbers[0], "--uphold", "--why", "附件未标注", "--by", "李四"))
    assert nights.state() is FaultState.UPHELD


def test_a_revocation_tells_which_published_days_were_scored_again(
    inspect: Inspect, nights: Nights, numbers: tuple[str, ...]
) -> None:
    day = today(nights.place)
    before = inspect("scores", "--json").document["units"][0]["score"]
    ok(inspect("review", "appeal", numbers[0], "--why", "附件里已标注", *BY))
    answer = ok(inspect("review", "decide", numbers[0], "--revoke", "--why", "属实", "--by", "李四"))
    assert f"区教育局已发布的得分重新算过：{day}。" in answer.out
    assert inspect("scores", "--json").document["units"][0]["score"] > before


def test_a_revocation_as_json(inspect: Inspect, nights: Nights, numbers: tuple[str, ...]) -> None:
    ok(inspect("review", "appeal", *numbers[:2], "--why", "附件里已标注", *BY))
    answer = inspect("review", "decide", *numbers[:2], "--revoke", "--why", "属实", "--by", "李四", "--json")
    document = answer.document
    assert (document["step"], document["preview"], document["skipped"]) == ("撤销", False, [])
    assert [(one["before"], one["state"]) for one in document["changed"]] == [("申诉中", "撤销")] * 2
    assert document["rescored"] == [{"unit": "区教育局", "days": [str(today(nights.place))]}]


def test_a_waiver_says_until_when(inspect: Inspect, nights: Nights, numbers: tuple[str, ...]) -> None:
    until = today(nights.place) + timedelta(days=30)
    ok(inspect("review", "waive", numbers[0], "--until", str(until), "--why", "网站迁移", *BY))
    assert nights.fault().waived_until == until
    assert f"豁免至 {until}" in inspect("review", "list").out


# ---------------------------------------------------------------- many at once


def test_a_filter_only_shows_until_it_is_told_yes(inspect: Inspect, nights: Nights, numbers: tuple[str, ...]) -> None:
    until = str(today(nights.place) + timedelta(days=7))
    ok(inspect("review", "appeal", numbers[1], "--why", "不属实", *BY))
    command = ("review", "rectify", "--unit", "教育局", "--until", until, *BY)
    preview = ok(inspect(*command))
    assert "预览：将办理“责令整改”的 2 个问题" in preview.out
    assert "跳过的 1 个问题" in preview.out
    assert "只能：维持、撤销" in preview.out
    assert "--yes" in preview.out
    as_json = inspect(*command, "--json").document
    assert (as_json["preview"], len(as_json["changed"]), len(as_json["skipped"])) == (True, 2, 1)
    assert states(nights) == [FaultState.CONFIRMED, FaultState.APPEALED, FaultState.CONFIRMED]
    done = ok(inspect(*command, "--yes")).out
    assert "2 个问题；跳过 1 个" in done
    assert states(nights) == [FaultState.RECTIFYING, FaultState.APPEALED, FaultState.RECTIFYING]


def test_filters_narrow_each_other(inspect: Inspect, nights: Nights, numbers: tuple[str, ...]) -> None:
    until = ("--until", str(today(nights.place)), *BY, "--yes")
    ok(inspect("review", "rectify", "--check", "open_attribute", "--target", f"{PAGE[:30]}", *until))
    assert states(nights) == [FaultState.RECTIFYING, FaultState.CONFIRMED, FaultState.CONFIRMED]
    ok(inspect("review", "appeal", "--state", "整改中", "--why", "不属实", *BY, "--yes"))
    assert states(nights) == [FaultState.APPEALED, FaultState.CONFIRMED, FaultState.CONFIRMED]


def test_a_filter_that_finds_nothing_says_so(inspect: Inspect, nights: Nights, numbers: tuple[str, ...]) -> None:
    assert "没有符合条件的问题" in ok(inspect("review", "confirm", "--unit", "公安局", *BY)).out
    assert "没有一个可以办理" in ok(inspect("review", "confirm", "--unit", "教育局", *BY)).out
    assert "0 个问题；跳过 3 个" in ok(inspect("review", "confirm", "--unit", "教育局", *BY, "--yes")).out


def test_two_thousand_faults_take_a_step_in_one_transaction(
    inspect: Inspect, nights: Nights, day: date, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = nights.place
    faults = [_fault(day, position) for position in range(2_000)]
    place.faults.record(faults, [])
    opened_for_writing = []
    writing = Database.writing

    def counted(self: Database) -> AbstractContextManager[Any]:
        opened_for_writing.append(1)
        return writing(self)

    monkeypatch.setattr(Database, "writing", counted)
    command = ("review", "rectify", "--state", "已确认", "--until", str(day), *BY)
    assert "另有 1950 个" in ok(inspect(*command)).out
    assert "2000 个问题；跳过 0 个" in ok(inspect(*command, "--yes")).out
    assert len(opened_for_writing) == 3, "two previews and one step"
    assert {fault.state for fault in place.faults.faults()} == {FaultState.RECTIFYING}
    assert len(place.faults.events_between(day, day)) == 2_000
    assert len(inspect("review", "list", "--json").document["faults"]) == 2_000


def _fault(day: date, position: int) -> Fault:
    return Fault(
        fingerprint=f"{position:032x}",
        unit_id="jiaoyuju",
        check="open_attribute",
        target=f"{PAGE}?{position}",
        item="",
        reason="missing",
        column_id=None,
        state=FaultState.CONFIRMED,
        observation="o",
        first_seen=day,
        last_seen=day,
        finding_id=position + 1,
    )


# ---------------------------------------------------------------- numbers: all or nothing


def test_one_fault_that_cannot_take_the_step_stops_all(
    inspect: Inspect, nights: Nights, numbers: tuple[str, ...]
) -> None:
    ok(inspect("review", "appeal", numbers[0], "--why", "不属实", *BY))
    answer = inspect("review", "rectify", *numbers, "999999", "--until", str(today(nights.place)), *BY)
    assert answer.code == 2
    assert answer.out == ""
    assert "有 2 个问题不能办理“责令整改”，所以一个也没有办" in answer.err
    assert f"第 {numbers[0]} 号：" in answer.err
    assert "第 999999 号：" in answer.err
    assert states(nights) == [FaultState.APPEALED, FaultState.CONFIRMED, FaultState.CONFIRMED]


def test_one_fault_that_somebody_else_took_up_meanwhile_stops_all(
    inspect: Inspect, nights: Nights, numbers: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    def meanwhile(*_: object) -> tuple[()]:
        nights.take(today(nights.place), Step.APPEAL, FAULTY, by="李四")
        return ()

    monkeypatch.setattr("inspection.handing_in.keep", meanwhile)
    answer = inspect("review", "rectify", *numbers, "--until", str(today(nights.place)), *BY)
    assert (answer.code, answer.out) == (2, "")
    assert f"第 {numbers[0]} 号：" in answer.err
    assert states(nights) == [FaultState.APPEALED, FaultState.CONFIRMED, FaultState.CONFIRMED]


def test_a_number_given_twice_is_one_fault(inspect: Inspect, nights: Nights, numbers: tuple[str, ...]) -> None:
    ok(inspect("review", "rectify", numbers[0], numbers[0], "--until", str(today(nights.place)), *BY))
    assert nights.steps() == [Step.FOUND, Step.RECTIFY]


# ---------------------------------------------------------------- attachments


def test_files_are_kept_by_their_content_and_told(
    inspect: Inspect, nights: Nights, numbers: tuple[str, ...], tmp_path: Path, data: Path
) -> None:
    letter, picture = tmp_path / "申诉函.pdf", tmp_path / "[red]截图.png"
    letter.write_bytes(b"%PDF-1.4 letter")
    picture.write_bytes(b"\x89PNG")
    files = ("--attach", str(letter), "--attach", str(picture))
    ok(inspect("review", "appeal", numbers[0], "--why", "不属实", *BY, *files))
    letter.unlink()
    step = inspect("findings", "show", numbers[0], "--json").document["review"][-1]
    digest = hashlib.sha256(b"%PDF-1.4 letter").hexdigest()
    assert step["attachments"][0] == {"name": "申诉函.pdf", "digest": f"sha256:{digest}", "bytes": 15}
    (kept,) = (data / "attachments").rglob(digest)
    assert kept.read_bytes() == b"%PDF-1.4 letter"
    shown = inspect("findings", "show", numbers[0]).out
    assert "申诉函.pdf（15 字节" in shown
    assert "[red]截图.png" in shown


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda path: None, "不存在"),
        (lambda path: path.mkdir(), "不是文件"),
        (lambda path: path.write_bytes(b""), "是空的"),
        (lambda path: _sparse(path, 50 * 1024 * 1024 + 1), "超过 50 MB"),
    ],
)
def test_a_file_that_cannot_be_handed_in_stops_the_step(
    inspect: Inspect, nights: Nights, numbers: tuple[str, ...], tmp_path: Path, make: Any, said: str
) -> None:
    make(tmp_path / "a.pdf")
    good = tmp_path / "good.pdf"
    good.write_bytes(b"x")
    files = ("--attach", str(good), "--attach", str(tmp_path / "a.pdf"))
    answer = inspect("review", "appeal", numbers[0], "--why", "不属实", *BY, *files)
    assert (answer.code, said in answer.err) == (2, True), answer.err
    assert nights.state() is FaultState.CONFIRMED
    assert not (nights.place.settings.attachments).exists()


def _sparse(path: Path, size: int) -> None:
    with path.open("wb") as file:
        file.truncate(size)


def test_a_preview_keeps_no_files(inspect: Inspect, nights: Nights, numbers: tuple[str, ...], tmp_path: Path) -> None:
    letter = tmp_path / "a.pdf"
    letter.write_bytes(b"x")
    ok(inspect("review", "appeal", "--unit", "教育局", "--why", "不属实", *BY, "--attach", str(letter)))
    assert not nights.place.settings.attachments.exists()


# ---------------------------------------------------------------- wrong input


WRONG = (
    (("confirm", "1"), "--by 姓名"),
    (("confirm", "1", "--by", " "), "--by 姓名"),
    (("confirm", "1", "--by", "程序"), "经办人"),
    (("confirm", *BY), "没有写明是哪些问题"),
    (("confirm", "1", "--unit", "教育局", *BY), "只能用一样"),
    (("confirm", "一", "2x", *BY), "“一”、“2x”不是问题的编号"),
    (("confirm", "9" * 30, *BY), "不是问题的编号"),
    (("confirm", "--unit", "教肓局", *BY), "教育局"),
    (("confirm", "--check", "nothing", *BY), "没有叫“nothing”的检查"),
    (("confirm", "--state", "改了", *BY), "没有“改了”这种状态"),
    (("confirm", "0", *BY), "“0”"),
    (("appeal", "1", *BY), "理由"),
    (("waive", "1", "--why", "迁移", *BY), "最后一天"),
    (("rectify", "1", *BY), "整改期限"),
    (("rectify", "1", "--until", "明天", *BY), "“明天”不是日期"),
    (("rectify", "1", "--until", "2020-01-01", *BY), "已经过了"),
    (("decide", "1", "--why", "属实", *BY), "--uphold"),
    (("decide", "1", "--uphold", "--revoke", "--why", "属实", *BY), "--uphold"),
    (("list", "--state", "改了"), "可用的有"),
)


def test_what_is_typed_wrong_is_told_with_the_remedy_and_changes_nothing(
    inspect: Inspect, nights: Nights, numbers: tuple[str, ...]
) -> None:
    for arguments, said in WRONG:
        answer = inspect("review", *arguments)
        assert (answer.code, answer.out, said in answer.err) == (2, "", True), (arguments, answer)
        assert "Traceback" not in answer.err
    assert states(nights) == [FaultState.CONFIRMED] * 3


def test_who_acts_may_stand_in_the_environment(
    inspect: Inspect, nights: Nights, numbers: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("INSPECT_REVIEWER", "王五")
    ok(inspect("review", "appeal", numbers[0], "--why", "不属实"))
    step = inspect("findings", "show", numbers[0], "--json").document["review"][-1]
    assert (step["by"], step["step"]) == ("王五", "申诉")


# ---------------------------------------------------------------- lists


def test_the_list_of_nothing(inspect: Inspect, place: Place) -> None:
    assert "没有符合条件的问题" in ok(inspect("review", "list")).out
    assert inspect("review", "list", "--json").document["faults"] == []


def test_the_list_begins_with_what_waits_for_somebody(inspect: Inspect, nights: Nights, day: date) -> None:
    later = day + timedelta(days=1)
    nights.night(day - timedelta(days=20), FAULTY, OTHER)
    nights.take(day - timedelta(days=15), Step.RECTIFY, OTHER, until=day - timedelta(days=10))
    nights.night(day, OTHER, ELSEWHERE, FINE)
    nights.monkeypatch.setattr("inspection.reviewing.day_in", day_in)
    ok(inspect("review", "rectify", number(nights, ELSEWHERE), "--until", str(later), *BY))
    faults = inspect("review", "list", "--json").document["faults"]
    assert [(fault["state"], fault["days_left"]) for fault in faults] == [
        ("整改中", -10),
        ("整改中", 1),
        ("已整改", None),
    ]
    shown = inspect("review", "list").out
    assert "逾期 10 天" in shown
    assert "还有 1 天" in shown
    (overdue,) = inspect("review", "list", "--overdue", "--json").document["faults"]
    assert overdue["id"] == int(number(nights, OTHER))


def test_findings_are_filtered_by_where_they_stand_today(
    inspect: Inspect, nights: Nights, numbers: tuple[str, ...]
) -> None:
    ok(inspect("review", "rectify", numbers[0], "--until", str(today(nights.place)), *BY))
    (found,) = inspect("findings", "--state", "整改中", "--json").document["findings"]
    assert (str(found["id"]), found["state"], found["deadline"]) == (numbers[0], "整改中", str(today(nights.place)))
    assert len(inspect("findings", "--state", "已确认", "--json").document["findings"]) == 2
    assert inspect("findings", "--state", "没有").code == 2


def test_what_a_page_says_cannot_move_the_terminal(inspect: Inspect, nights: Nights, day: date) -> None:
    hostile = replace(FAULTY, target="http://a.test/\x1b[31m[bold]\u202e")
    nights.night(day, hostile)
    for command in (("list",), ("rectify", "--unit", "教育局", "--until", str(day), *BY)):
        out = ok(inspect("review", *command)).out
        assert "[bold]" in out
        assert not {"\x1b", "\u202e"} & set(out)
