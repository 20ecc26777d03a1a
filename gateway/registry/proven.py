"""Whether somebody is the credential they say they are: the same question at every door."""

import hmac
from collections.abc import Callable

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
