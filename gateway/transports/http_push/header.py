"""Who a sender says it is: the `Authorization` header. No I/O."""

import binascii


def claimed(header: str) -> tuple[str, bytes]:
    """Name and token out of `Basic <base64 of name:token>` (RFC 7617) or `Bearer name:token`.

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
