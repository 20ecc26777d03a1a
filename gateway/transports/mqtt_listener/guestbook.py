"""Who may come in and what each may say: the directory, seen from the MQTT door. No I/O."""

from collections.abc import Callable

from gateway.devices.addressing import own_routes
from gateway.model.device import Credential, Directory
from gateway.model.identity import DeviceId
from gateway.model.reason import Reason
from gateway.model.uplink import Route
from gateway.registry.proven import proven
from gateway.wire.topics import commanded, device_of

Routes = dict[bytes, Route]

ANONYMOUS = ""
"""Under this name, which nothing registered has, clients without a user name speak where they may."""


class Guestbook:
    """Checks credentials and holds, per credential, the topics it may speak on.

    Args:
        directory: what the registry says now.
        digest: token → keyed hash, as the registry keeps it.
    """

    def __init__(self, directory: Directory, digest: Callable[[bytes], bytes]) -> None:
        self._digest = digest
        self._directory = directory
        self._routes: dict[str, Routes] = {}

    def replace(self, directory: Directory) -> None:
        """The registry has changed."""
        self._directory = directory
        self._routes = {}

    def credential(self, username: str, token: bytes) -> Credential | None:
        """The credential that this user name and token prove; None if they prove nothing."""
        return proven(self._directory, self._digest, username, token)

    def named(self, subject: str) -> Credential | None:
        """The credential that a client certificate proves by its subject's common name."""
        return self._directory.credentials.get(subject)

    def anonymous(self) -> Credential:
        """May speak for every device (loopback only, and only where configured)."""
        return Credential(ANONYMOUS, b"", frozenset(self._directory.devices))

    def again(self, credential: Credential, *, certified: bool = False) -> Credential | None:
        """The credential as the registry has it now; None if it was taken away or its token renewed.

        Args:
            certified: a certificate proved it, so that its token does not matter.
        """
        if credential.name == ANONYMOUS:
            return self.anonymous()
        now = self._directory.credentials.get(credential.name)
        same = now is not None and (certified or now.digest == credential.digest)
        return now if same else None

    def routes(self, credential: Credential) -> Routes:
        """Topic → route for every device this credential speaks for."""
        routes = self._routes.get(credential.name)
        if routes is None:
            routes = self._routes[credential.name] = {}
            for name in credential.devices:
                device = self._directory.devices.get(name)
                if device is not None:
                    routes.update(own_routes(device))
        return routes

    def hears(self, credential: Credential, text: str) -> DeviceId | None:
        """The device whose commands a topic filter asks for; None if this credential may not hear it.

        A device's own command topic is all there is to subscribe to, spelled out.
        """
        name = commanded(text)
        if name is None or name not in credential.devices:
            return None
        device = self._directory.devices.get(name)
        return None if device is None or device.revoked else name

    def refusal(self, topic: str) -> Reason:
        """Why a topic leads nowhere for a credential that has no route for it."""
        name = device_of(topic)
        if name is None:
            return Reason.UNKNOWN_TOPIC
        device = self._directory.devices.get(name)
        return Reason.UNKNOWN_DEVICE if device is None or device.revoked else Reason.NOT_ALLOWED
