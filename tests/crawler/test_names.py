"""Names are asked where we were told to ask, and "no" is told from "no answer"."""

from __future__ import annotations

import pytest

from checks.model import FailureKind
from crawler.guard import AddressRefused
from crawler.names import NameFailure, NameNotFound, Names
from tests.crawler.servers import SILENT, name_server

ZONE = {
    ("both.test", "A"): ["127.0.0.1"],
    ("both.test", "AAAA"): ["::1"],
    ("old.test", "A"): ["127.0.0.1"],
    ("mute.test", "A"): [SILENT],
    ("mute.test", "AAAA"): [SILENT],
    ("empty.test", "TXT"): ['"nothing else"'],
    ("mixed.test", "A"): ["10.0.0.1", "203.0.113.9", "8.8.8.8"],
}


@pytest.fixture(scope="module")
def resolver() -> str:
    with name_server(ZONE) as port:
        yield f"127.0.0.1:{port}"


def test_v4_comes_first(resolver: str) -> None:
    assert Names(resolver, allow_private=True).addresses("both.test") == ("127.0.0.1", "::1")


@pytest.mark.parametrize("host", ["none.test", "empty.test"])
def test_a_name_without_address_is_not_found(resolver: str, host: str) -> None:
    with pytest.raises(NameNotFound):
        Names(resolver, allow_private=True).addresses(host)


def test_no_answer_is_a_failure_and_not_no(resolver: str) -> None:
    names = Names(resolver, allow_private=True, timeout=0.3)
    with pytest.raises(NameFailure):
        names.addresses("mute.test")
    assert names.ask("mute.test", "AAAA").failure is FailureKind.DNS_FAILURE
    assert names.ask("old.test", "AAAA").failure is None


def test_a_failure_is_asked_again_and_an_answer_remembered() -> None:
    zone = {("late.test", "A"): [SILENT], ("late.test", "AAAA"): [SILENT]}
    with name_server(zone) as port:
        names = Names(f"127.0.0.1:{port}", allow_private=True, timeout=0.3)
        with pytest.raises(NameFailure):
            names.addresses("late.test")
        zone |= {("late.test", "A"): ["127.0.0.1"], ("late.test", "AAAA"): []}
        assert names.addresses("late.test") == ("127.0.0.1",)
        zone.clear()
        assert names.addresses("late.test") == ("127.0.0.1",)


def test_what_is_known_is_told_without_asking_for_as_long_as_it_is_remembered(resolver: str) -> None:
    names = Names(resolver, allow_private=True)
    assert names.known("old.test") is None
    names.addresses("old.test")
    assert names.known("old.test") == ("127.0.0.1",)
    names.remembered = -1.0
    assert names.known("old.test") is None


def test_a_name_known_to_be_missing_is_missing_still(resolver: str) -> None:
    names = Names(resolver)
    with pytest.raises(NameNotFound):
        names.addresses("none.test")
    with pytest.raises(NameNotFound):
        names.known("none.test")


def test_answers_name_their_code(resolver: str) -> None:
    names = Names(resolver)
    assert names.ask("none.test", "AAAA").rcode == "NXDOMAIN"
    assert names.ask("old.test", "A").records == ("127.0.0.1",)
    assert names.ask("old.test", "AAAA") == names.ask("empty.test", "A")


def test_private_addresses_are_refused_unless_allowed(resolver: str) -> None:
    names = Names(resolver)
    with pytest.raises(AddressRefused):
        names.addresses("both.test")
    with pytest.raises(AddressRefused):
        names.addresses("192.168.1.1")
    assert names.addresses("mixed.test") == ("8.8.8.8",)


def test_addresses_by_family(resolver: str) -> None:
    names = Names(resolver, allow_private=True)
    assert names.addresses_of_family("both.test", 6) == ("::1",)
    assert names.addresses_of_family("::1", 6) == ("::1",)
    with pytest.raises(NameNotFound):
        names.addresses_of_family("old.test", 6)
