"""Certificates that a configuration names: each fault at its line, before anything starts."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from gateway.settings.load import SettingsError, load_settings
from sekisho import certificate
from tests.e2e.town import Town

NOW = datetime(2026, 5, 12, tzinfo=UTC)


def faults(folder: Path, at: datetime | None = NOW, /, **tls: object) -> list[str]:
    """The complaints about a TLS door with these settings, without the file's name."""
    given = {"port": 0, **tls}
    listed = ", ".join(f"{name}: {value}" for name, value in given.items())
    town = Town(folder / "town", tls=f"{{{listed}}}")
    try:
        load_settings(town.config, at)
    except SettingsError as error:
        return [str(complaint).partition("gateway.yaml:")[2] for complaint in error.complaints]
    return []


def test_a_pair_that_belongs_together_is_no_fault(tmp_path: Path) -> None:
    made = certificate.issue(tmp_path, ["localhost"], NOW)
    assert faults(tmp_path, certificate=made.certificate, key=made.key, client_ca=made.ca) == []


def test_a_key_of_another_certificate_is_named(tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    made = certificate.issue(tmp_path, ["localhost"], NOW)
    other = certificate.issue(tmp_path / "other", ["localhost"], NOW)
    (fault,) = faults(tmp_path, certificate=made.certificate, key=other.key)
    place, _, sentence = fault.partition(" doors[0].tls.key: ")
    assert place.split(":")[0] == "11"
    assert sentence == "this key does not belong to the certificate server.pem."


@pytest.mark.parametrize(
    ("days", "words"),
    [
        (366, "expired on 2027-05-12; clients refuse it. Put a new one in its place."),
        (-2, "is valid from 2026-05-11 only. Is this machine's clock right?"),
    ],
)
def test_a_certificate_out_of_its_time_is_named(tmp_path: Path, days: int, words: str) -> None:
    """By `check`; a start leaves it to the clients, so that it shuts no other door."""
    made = certificate.issue(tmp_path, ["localhost"], NOW)
    (fault,) = faults(
        tmp_path, NOW + timedelta(days=days), certificate=made.certificate, key=made.key
    )
    assert fault.endswith(f"doors[0].tls.certificate: this certificate {words}")


def test_a_start_does_not_ask_for_the_time(tmp_path: Path) -> None:
    made = certificate.issue(tmp_path, ["localhost"], NOW - timedelta(days=4000))
    assert faults(tmp_path, None, certificate=made.certificate, key=made.key) == []


@pytest.mark.parametrize(
    ("part", "words"),
    [
        ("certificate", "a certificate in PEM is needed here."),
        ("key", "a key in PEM without a passphrase is needed here."),
        ("client_ca", "one or more CA certificates in PEM are needed here."),
    ],
)
def test_a_file_of_another_sort_is_named(tmp_path: Path, part: str, words: str) -> None:
    made = certificate.issue(tmp_path, ["localhost"], NOW)
    named = {"certificate": made.certificate, "key": made.key, "client_ca": made.ca}
    (tmp_path / "prose.txt").write_text("no PEM")
    named[part] = tmp_path / "prose.txt"
    (fault,) = faults(tmp_path, **named)
    assert fault.endswith(f"doors[0].tls.{part}: {words}")


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"client_certificate": "required"}, "client certificates need an authority to be believed: client_ca."),
        ({"client_ca": "nowhere.pem"}, 'file "nowhere.pem" does not exist'),
        ({"client_certificate": "demanded"}, "offered"),
    ],
)  # fmt: skip
def test_client_certificates_need_an_authority(
    tmp_path: Path, more: dict[str, str], words: str
) -> None:
    made = certificate.issue(tmp_path, ["localhost"], NOW)
    (fault,) = faults(tmp_path, certificate=made.certificate, key=made.key, **more)
    assert words in fault
