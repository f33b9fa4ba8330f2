"""证书探测: whether a site offers HTTPS, and the certificate that its host shows."""

from __future__ import annotations

import base64
import socket
import ssl
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.x509.oid import ExtensionOID, NameOID

from checks.model import FailureKind, Probe, ProbeKind
from crawler.guard import AddressRefused
from crawler.names import NameFailure, NameNotFound
from crawler.politeness import HostSpared
from crawler.probes.http import reason
from crawler.probes.manners import Manners

_IGNORING_THE_CLOCK = 0x200000  # X509_V_FLAG_NO_CHECK_TIME: the dates are judged by the day of the run
_NO_SUCH_HOST = "UNRECOGNIZED_NAME"  # the server has HTTPS for other hosts
_MOST_NAMES = 200


def probe_certificate(manners: Manners) -> Iterator[Probe]:
    """Yield the TLS probe of a site: at its own port when it is known by https, else at `https_port`.

    The first handshake takes whatever certificate comes, the second tells whether its chain ends at an authority that
    this machine, or `certificate_authorities`, trusts. Dates and names are left to the check.
    """
    parts = urlsplit(manners.home)
    port = (parts.port or 443) if parts.scheme == "https" else manners.settings.https_port
    observed: dict[str, object] = {"offered": None, "names": [], "issuer": "", "verified": None, "error": ""}
    failure = None
    try:
        observed |= _look(manners, port)
    except NameFailure as error:
        failure, observed["error"] = FailureKind.DNS_FAILURE, str(error)
    except AddressRefused as error:
        failure, observed["error"] = FailureKind.ADDRESS_REFUSED, str(error)
    except HostSpared as error:
        failure, observed["error"] = FailureKind.BUDGET_EXHAUSTED, str(error)
    except (NameNotFound, OSError) as error:
        observed["error"] = reason(error)
    yield manners.probe(ProbeKind.TLS, f"{manners.host}:{port}", observed, failure=failure)


def _look(manners: Manners, port: int) -> dict[str, object]:
    try:
        shown = _handshake(manners, port, _trusting_anybody())
    except ConnectionRefusedError as error:
        return {"offered": False, "error": reason(error)}
    except ssl.SSLError as error:
        offered = False if error.reason and _NO_SUCH_HOST in error.reason else None
        return {"offered": offered, "error": f"握手失败：{error.reason or reason(error)}"}
    if shown is None:
        return {"error": "服务器没有出示证书"}
    return {"offered": True, **_described(shown), **_verified(manners, port)}


def _verified(manners: Manners, port: int) -> dict[str, object]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_default_certs()
    context.check_hostname = False  # names are compared by the check
    context.verify_flags |= _IGNORING_THE_CLOCK
    try:
        if manners.settings.certificate_authorities:
            context.load_verify_locations(manners.settings.certificate_authorities)
        _handshake(manners, port, context)
    except ssl.SSLCertVerificationError as error:
        return {"verified": False, "error": error.verify_message}
    except OSError as error:  # the first handshake went well: the network's mood, or our file of authorities
        return {"verified": None, "error": reason(error)}
    return {"verified": True}


def _handshake(manners: Manners, port: int, context: ssl.SSLContext) -> bytes | None:
    """Return the certificate that the host shows; raises OSError, and what resolving its name raises."""
    refused: OSError | None = None
    seconds = manners.settings.timeout_seconds
    for address in manners.names.addresses(manners.host):
        manners.keep_pace(manners.host)
        try:
            connection = socket.create_connection((address, port), seconds)
        except OSError as error:
            refused = error
            continue
        with connection, context.wrap_socket(connection, server_hostname=manners.host) as wrapped:
            return wrapped.getpeercert(binary_form=True)
    assert refused is not None
    raise refused


def _trusting_anybody() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.set_ciphers("DEFAULT:@SECLEVEL=0")  # an old server's certificate is judged by what it says
    return context


def _described(shown: bytes) -> dict[str, object]:
    """Return what the certificate says: days in UTC, the names it is for, who issued it, and itself in base64."""
    kept = {"certificate": base64.b64encode(shown).decode()}
    try:
        certificate = x509.load_der_x509_certificate(shown)
        return kept | {
            "not_before": certificate.not_valid_before_utc.astimezone(UTC).date().isoformat(),
            "not_after": certificate.not_valid_after_utc.astimezone(UTC).date().isoformat(),
            "names": _names(certificate)[:_MOST_NAMES],
            "issuer": _issuer(certificate),
        }
    except ValueError as error:
        return kept | {"error": f"证书无法解析：{str(error)[:100]}"}


def _names(certificate: x509.Certificate) -> list[str]:
    """Return the hosts and addresses the certificate is for; browsers heed no other name on it."""
    names: list[str] = []
    with suppress(x509.ExtensionNotFound):
        extension = certificate.extensions.get_extension_for_oid(ExtensionOID.SUBJECT_ALTERNATIVE_NAME).value
        assert isinstance(extension, x509.SubjectAlternativeName)
        names += extension.get_values_for_type(x509.DNSName)
        names += map(str, extension.get_values_for_type(x509.IPAddress))
    return names


def _issuer(certificate: x509.Certificate) -> str:
    for wanted in (NameOID.ORGANIZATION_NAME, NameOID.COMMON_NAME):
        found = certificate.issuer.get_attributes_for_oid(wanted)
        if found:
            return str(found[0].value)
    return certificate.issuer.rfc4514_string()
