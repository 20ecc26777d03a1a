"""A certificate authority of one's own: what it issues lets a client in that trusts it, and no other."""

import ssl
from datetime import UTC, datetime
from pathlib import Path
from stat import S_IMODE

import pytest
from cryptography import x509

from sekisho.certificate import Certificate, issue

NOW = datetime(2026, 5, 12, 3, 0, tzinfo=UTC)


@pytest.fixture
def issued(tmp_path: Path) -> Certificate:
    return issue(tmp_path, ["gateway.example", "127.0.0.1", "::1"], datetime.now(UTC))


def greeted(server: Certificate, trusted: Path, name: str) -> None:
    """A TLS handshake in memory; raises where the client does not believe the server."""
    inside = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    inside.load_cert_chain(server.certificate, server.key)
    outside = ssl.create_default_context(cafile=str(trusted))
    up, down = ssl.MemoryBIO(), ssl.MemoryBIO()
    ends = [
        outside.wrap_bio(down, up, server_hostname=name),
        inside.wrap_bio(up, down, server_side=True),
    ]
    for _ in range(4):
        for end in ends:
            try:
                end.do_handshake()
            except ssl.SSLWantReadError:
                continue


@pytest.mark.parametrize("name", ["gateway.example", "127.0.0.1", "::1"])
def test_a_client_that_trusts_the_authority_comes_in(issued: Certificate, name: str) -> None:
    """By every name and address it was issued for."""
    greeted(issued, issued.ca, name)


def test_another_name_is_not_believed(issued: Certificate) -> None:
    with pytest.raises(ssl.SSLCertVerificationError):
        greeted(issued, issued.ca, "other.example")


def test_another_authority_is_not_believed(issued: Certificate, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    other = issue(tmp_path / "other", ["gateway.example"], datetime.now(UTC))
    with pytest.raises(ssl.SSLCertVerificationError):
        greeted(issued, other.ca, "gateway.example")


def test_the_key_is_its_owner_s_alone_and_the_authority_s_is_kept_nowhere(tmp_path: Path) -> None:
    issued = issue(tmp_path, ["localhost"], NOW)
    assert S_IMODE(issued.key.stat().st_mode) == 0o600
    assert {path.name for path in tmp_path.iterdir()} == {"ca.pem", "server.pem", "server.key"}
    assert b"PRIVATE" not in issued.ca.read_bytes() + issued.certificate.read_bytes()


def test_it_holds_for_a_year_and_forgives_an_hour(tmp_path: Path) -> None:
    issued = issue(tmp_path, ["localhost"], NOW)
    made = x509.load_pem_x509_certificate(issued.certificate.read_bytes())
    assert (NOW - made.not_valid_before_utc).total_seconds() == 3600
    assert (made.not_valid_after_utc - NOW).days == 365


def test_issued_again_the_key_stays_closed(tmp_path: Path) -> None:
    """A second run replaces the files; the mode of the key is never wider in between."""
    issue(tmp_path, ["localhost"], NOW)
    issued = issue(tmp_path, ["localhost"], NOW)
    assert S_IMODE(issued.key.stat().st_mode) == 0o600
