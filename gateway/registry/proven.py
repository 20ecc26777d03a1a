"""Whether somebody is the credential they say they are: the same question at every door."""

import binascii
import hmac
from collections.abc import Callable, Mapping
from typing import Any

from gateway.model.device import Credential, Directory


def proven(
    directory: Directory, digest: Callable[[bytes], bytes], name: str, token: bytes
) -> Credential | None:
    """The credential that a name and a token prove; None if they prove nothing, in the same time.

    Args:
        digest: token → keyed hash, as the registry keeps it.
    """
    credential = directory.credentials.get(name)
    known = credential.digest if credential else bytes(32)
    matches = hmac.compare_digest(digest(token), known)
    return credential if matches else None


def claimed(header: str) -> tuple[str, bytes]:
    """Name and token out of `Authorization`: `Basic <base64 of name:token>` (RFC 7617) or `Bearer name:token`.

    Empty ones where the header is neither: they prove nothing.
    """
    scheme, _, rest = header.strip().partition(" ")
    rest = rest.strip()
    if scheme.lower() == "basic":
        try:
            rest = binascii.a2b_base64(rest, strict_mode=True).decode()
        except (binascii.Error, ValueError):
            return "", b""
    elif scheme.lower() != "bearer":
        return "", b""
    name, colon, token = rest.partition(":")
    return (name, token.encode("utf-8", "surrogateescape")) if colon else ("", b"")


def subject_of(certificate: Mapping[str, Any] | None) -> str | None:
    """The common name in a verified certificate as `ssl` shows it; None if there is none, or two."""
    subject = (certificate or {}).get("subject", ())
    names = [value for part in subject for field, value in part if field == "commonName"]
    return names[0] if len(names) == 1 else None
