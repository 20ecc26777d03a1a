"""Which stations may come in, and what they have to show. No I/O."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from gateway.lorawan.forwarder import Forwarder
from gateway.model.device import Credential, Directory
from gateway.registry.proven import claimed, proven, subject_of
from gateway.wire.lorawan.identifiers import Eui


class Proof(NamedTuple):
    """What a connection has shown.

    Attributes:
        certified: by a client certificate, so that the token does not matter.
    """

    credential: Credential
    certified: bool


class Entry:
    """The list of those who may come in.

    Args:
        forwarders: those that may come in.
        digest: token → keyed hash, as the registry keeps it.
    """

    def __init__(
        self,
        forwarders: Mapping[Eui, Forwarder],
        directory: Directory,
        digest: Callable[[bytes], bytes],
    ) -> None:
        self._forwarders = forwarders
        self._directory = directory
        self._digest = digest

    def renew(self, directory: Directory) -> None:
        """The registry has changed."""
        self._directory = directory

    def proof(self, header: str | None, certificate: Mapping[str, Any] | None) -> Proof | None:
        """What a token (`Authorization`) or else a verified client certificate proves.

        Raises:
            PermissionError: there is a token, and it proves nothing.
        """
        if header is not None:
            credential = proven(self._directory, self._digest, *claimed(header))
            if credential is None:
                raise PermissionError("a token that proves nothing")
            return Proof(credential, certified=False)
        credential = self._directory.credentials.get(subject_of(certificate) or "")
        return None if credential is None else Proof(credential, certified=True)

    def admits(self, eui: Eui, proof: Proof | None, host: str) -> bool:
        """Whether whoever comes from there and shows this may be the station that it says it is."""
        forwarder = self._forwarders.get(eui)
        if forwarder is None or not forwarder.may_come_from(host):
            return False
        wanted = forwarder.credential
        return not wanted or (proof is not None and proof.credential.name == wanted)

    def still(self, proof: Proof | None) -> bool:
        """Whether what was shown is worth as much as it was."""
        if proof is None:
            return True
        now = self._directory.credentials.get(proof.credential.name)
        return now is not None and (proof.certified or now.digest == proof.credential.digest)
