"""The certificate that a host shows, out of real handshakes on loopback."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

import pytest

from checks.model import FailureKind, Probe
from config.schema import Site
from crawler.names import Names
from crawler.probes.certificates import probe_certificate
from crawler.probes.manners import Manners
from fixtures.district.inventory import inventory
from fixtures.district.server import ServedDistrict, serve

DAY = date(2026, 11, 23)


@pytest.fixture(scope="module")
def served() -> Iterator[ServedDistrict]:
    with serve(DAY) as district:
        yield district


def probe(served: ServedDistrict, home: str, **more: object) -> Probe:
    settings = inventory(served.world, served.dns_port, served.https).crawl.model_copy(update=more)
    names = Names(settings.resolver, settings.allow_private_addresses, timeout=2)
    site = Site(id="site", name="站点", home=home)
    (found,) = probe_certificate(Manners(site, settings, names, lambda: datetime.now(UTC)))
    return found


def shown(served: ServedDistrict, slug: str, **more: object) -> dict[str, object]:
    return dict(probe(served, f"http://{served.world.site(slug).host}/", **more).observed)


def test_a_good_certificate(served: ServedDistrict) -> None:
    found = shown(served, "gaj")
    assert (found["offered"], found["verified"], found["error"]) == (True, True, "")
    assert found["names"] == ["gaj.luancheng.test"]
    assert found["not_after"] == (DAY + timedelta(days=200)).isoformat()
    assert found["issuer"] == "栾城虚构证书机构"
    assert found["certificate"]


def test_dates_are_not_what_trust_hangs_on(served: ServedDistrict) -> None:
    found = shown(served, "czj")
    assert (found["not_after"], found["verified"]) == ((DAY - timedelta(days=1)).isoformat(), True)


@pytest.mark.parametrize("slug", ["sthj", "lcz"])
def test_strangers_are_not_trusted(served: ServedDistrict, slug: str) -> None:
    found = shown(served, slug)
    assert (found["offered"], found["verified"]) == (True, False)
    assert found["error"]


def test_without_the_file_of_authorities_nothing_of_ours_is_trusted(served: ServedDistrict) -> None:
    assert shown(served, "gaj", certificate_authorities=None)["verified"] is False
    missing = shown(served, "gaj", certificate_authorities="/nowhere.pem")
    assert (missing["offered"], missing["verified"]) == (True, None)


def test_names_stand_in_the_certificate_alone(served: ServedDistrict) -> None:
    assert shown(served, "jyj")["names"] == ["mail.hebei.test"]
    assert shown(served, "wjj")["names"] == ["*.luancheng.test"]
    assert shown(served, "xzspj")["names"] == ["xzspj.luancheng.test"]


def test_a_site_without_https(served: ServedDistrict) -> None:
    assert shown(served, "qxj")["offered"] is False
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        assert shown(served, "gaj", https_port=held.getsockname()[1])["offered"] is False


def test_what_speaks_no_tls_tells_nothing(served: ServedDistrict) -> None:
    assert shown(served, "gaj", https_port=served.http_port)["offered"] is None
    with socket.create_server(("127.0.0.1", 0)) as silent:
        found = shown(served, "gaj", https_port=silent.getsockname()[1], timeout_seconds=0.2)
    assert (found["offered"], found["error"]) == (None, "超时")


def test_a_site_in_trouble_tells_nothing() -> None:
    with serve(DAY, behaviours={"czj": "down"}) as served:
        assert shown(served, "czj")["offered"] is None


def test_a_site_known_by_https_is_asked_at_its_own_port(served: ServedDistrict) -> None:
    assert served.https is not None
    found = probe(served, f"https://gaj.luancheng.test:{served.https.port}/", https_port=1)
    assert found.target == f"gaj.luancheng.test:{served.https.port}"
    assert found.observed["verified"] is True


def test_questions_that_could_not_be_put(served: ServedDistrict) -> None:
    refused = probe(served, "http://gaj.luancheng.test/", allow_private_addresses=False)
    assert refused.failure is FailureKind.ADDRESS_REFUSED
    silent = probe(served, "http://gaj.luancheng.test/", resolver="127.0.0.1:1")
    assert silent.failure is FailureKind.DNS_FAILURE
    assert probe(served, "http://nobody.luancheng.test/").observed["offered"] is None
