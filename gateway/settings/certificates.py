"""What is wrong with the certificates that a configuration names: each fault as one sentence."""

import ssl
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from cryptography import x509


class Fault(NamedTuple):
    """A fault of a pair: the setting it stands at, and the sentence."""

    part: str
    sentence: str


def pair_fault(certificate: Path, key: Path) -> Fault | None:
    """Why a certificate and its key cannot be used together; None if they can.

    A file that this user may not read is no fault of the configuration: whoever runs the gateway may.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    try:
        context.load_cert_chain(str(certificate), str(key), password=lambda: b"")
    except PermissionError:
        return None
    except ssl.SSLError as error:
        if error.reason == "KEY_VALUES_MISMATCH":
            sentence = f"this key does not belong to the certificate {certificate.name}."
            return Fault("key", sentence)
        if _certificates(certificate) is None:
            return Fault("certificate", "a certificate in PEM is needed here.")
        return Fault("key", "a key in PEM without a passphrase is needed here.")
    except OSError as error:
        return Fault("certificate", f"cannot be read: {error.strerror}.")
    return None


def authority_fault(path: Path) -> str | None:
    """Why client certificates cannot be judged by a file; None if they can, or it is not ours to read."""
    try:
        found = _certificates(path)
    except PermissionError:
        return None
    return None if found else "one or more CA certificates in PEM are needed here."


def time_fault(path: Path, now: datetime) -> str | None:
    """Why a certificate is of no use at this moment; None if it is, or cannot be read."""
    try:
        found = _certificates(path)
    except PermissionError:
        return None
    if not found:
        return None
    if found[0].not_valid_after_utc < now:
        day = found[0].not_valid_after_utc.date()
        return f"this certificate expired on {day}; clients refuse it. Put a new one in its place."
    if found[0].not_valid_before_utc > now:
        day = found[0].not_valid_before_utc.date()
        return f"this certificate is valid from {day} only. Is this machine's clock right?"
    return None


def _certificates(path: Path) -> list[x509.Certificate] | None:
    try:
        return x509.load_pem_x509_certificates(path.read_bytes())
    except ValueError:
        return None
