"""Time stamps by an authority of our own on loopback."""

from __future__ import annotations

import shutil
import subprocess
import threading
from collections.abc import Iterator
from datetime import date, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from inspection.place import opened
from inspection.sealing import folder_of
from inspection.settings import resolve
from storage.manifest import MANIFEST, STAMP
from tests.cli.conftest import Inspect
from tests.inspection.nights import FAULTY, Nights
from tests.made_district import write_made_config

DAY = date(2026, 11, 23)

pytestmark = pytest.mark.skipif(shutil.which("openssl") is None, reason="needs openssl to answer as an authority")

AUTHORITY = """
[tsa]
default_tsa = own
[own]
serial = {0}/serial
signer_cert = {0}/tsa.pem
signer_key = {0}/tsa.key
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha256
ess_cert_id_alg = sha256
[req]
distinguished_name = name
prompt = no
[name]
CN = Own authority
[root]
basicConstraints = critical,CA:true
keyUsage = critical,keyCertSign
subjectKeyIdentifier = hash
[stamping]
basicConstraints = critical,CA:false
keyUsage = critical,digitalSignature
extendedKeyUsage = critical,timeStamping
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
"""


def openssl(folder: Path, *arguments: str) -> None:
    subprocess.run(["openssl", *arguments], cwd=folder, check=True, capture_output=True)


def make_authority(folder: Path) -> Path:
    folder.mkdir()
    (folder / "serial").write_text("01\n")
    (folder / "tsa.cnf").write_text(AUTHORITY.format(folder))
    new = ("req", "-config", "tsa.cnf", "-newkey", "rsa:2048", "-nodes")
    openssl(folder, *new, "-x509", "-days", "30", "-extensions", "root", "-keyout", "root.key", "-out", "root.pem")
    openssl(folder, *new, "-subj", "/CN=Own stamps", "-keyout", "tsa.key", "-out", "tsa.csr")
    by = ("-CA", "root.pem", "-CAkey", "root.key", "-CAcreateserial", "-days", "30")
    openssl(
        folder,
        "x509",
        "-req",
        "-in",
        "tsa.csr",
        *by,
        "-extfile",
        "tsa.cnf",
        "-extensions",
        "stamping",
        "-out",
        "tsa.pem",
    )
    return folder


@pytest.fixture
def config(tmp_path: Path) -> Path:
    write_made_config(DAY, tmp_path / "config")
    return tmp_path / "config"


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_authority(tmp_path_factory.mktemp("authority") / "own")


@pytest.fixture
def address(authority: Path) -> Iterator[str]:
    class Answering(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            assert self.headers["Content-Type"] == "application/timestamp-query"
            (authority / "query").write_bytes(self.rfile.read(int(self.headers["Content-Length"])))
            openssl(authority, "ts", "-reply", "-config", "tsa.cnf", "-queryfile", "query", "-out", "reply")
            answer = (authority / "reply").read_bytes()
            self.send_response(200)
            self.send_header("Content-Type", "application/timestamp-reply")
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Answering)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/tsa"
    server.shutdown()
    thread.join()
    server.server_close()


def configure(config: Path, address: str, certificates: Path | None = None) -> None:
    sites = config / "sites.toml"
    text = sites.read_text(encoding="utf-8").partition("[evidence]\n")[0]
    told = f'\n[evidence]\ntimestamp_authority = "{address}"\n'
    told += f'timestamp_certificates = "{certificates}"\n' if certificates else ""
    sites.write_text(text + told, encoding="utf-8")


def night(monkeypatch: pytest.MonkeyPatch, days: int) -> Path:
    with opened(resolve()) as place:
        Nights(place, monkeypatch).night(DAY + timedelta(days=days), FAULTY)
        return folder_of(place, place.repository.runs()[0].id)


def test_a_night_is_stamped_and_the_stamp_is_checked(
    inspect: Inspect,
    config: Path,
    authority: Path,
    address: str,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    configure(config, address, authority / "root.pem")
    folder = night(monkeypatch, 0)
    assert (folder / STAMP).exists()
    answer = inspect("evidence", "check", "--json")
    assert (answer.code, answer.document["stamps"], answer.document["unknown_authorities"]) == (0, 1, 0)
    configure(config, address)
    assert inspect("evidence", "check", "--json").document["unknown_authorities"] == 1
    configure(config, address, make_authority(tmp_path / "other") / "root.pem")
    answer = inspect("evidence", "check")
    assert (answer.code, "不是受信任的机构的" in answer.out) == (6, True)
    (folder / STAMP).write_bytes(b"torn")
    assert "manifest.tsr：时间戳无法读取" in inspect("evidence", "check").out


def test_a_stamp_of_other_bytes_is_told(
    inspect: Inspect,
    config: Path,
    authority: Path,
    address: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    configure(config, address, authority / "root.pem")
    first, second = night(monkeypatch, 0), night(monkeypatch, 1)
    (second / STAMP).write_bytes((first / STAMP).read_bytes())
    answer = inspect("evidence", "check")
    assert (answer.code, "不是这份清单的" in answer.out) == (6, True)


def test_an_authority_that_fails_does_not_fail_the_night(
    inspect: Inspect,
    config: Path,
    authority: Path,
    address: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    configure(config, "http://127.0.0.1:9/tsa")
    folder = night(monkeypatch, 0)
    assert (folder / MANIFEST).exists()
    assert not (folder / STAMP).exists()
    answer = inspect("evidence", "stamp")
    assert (answer.code, "时间戳服务没有答复" in answer.err) == (5, True)
    configure(config, address)
    assert "盖了 1 个时间戳" in inspect("evidence", "stamp").out
    assert "没有待盖时间戳" in inspect("evidence", "stamp").out


def test_a_private_address_is_refused_unless_allowed(
    inspect: Inspect,
    config: Path,
    authority: Path,
    address: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    sites = config / "sites.toml"
    text = sites.read_text(encoding="utf-8").replace(
        "allow_private_addresses = true", "allow_private_addresses = false"
    )
    sites.write_text(text, encoding="utf-8")
    configure(config, address)
    folder = night(monkeypatch, 0)
    assert not (folder / STAMP).exists()
    assert "内网" in inspect("evidence", "stamp").err
