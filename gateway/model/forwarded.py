"""An uplink as a network server forwards it: LoRaWAN's own parts, freed of whatever envelope carried them."""

from collections.abc import Mapping
from typing import Any, NoReturn

from gateway.model.instant import Instant


class Forwarded:
    """One uplink with its port and its counter, still undecoded.

    It stands beside plain `bytes` in `Uplinks.items`: what a device of ours sends itself is bytes, what
    somebody else's server passes on is this. Neither is ever written or logged.

    Attributes:
        f_port: LoRaWAN port, 0 to 223; 0 where the server left it out (proto3 leaves out zeros).
        f_cnt: LoRaWAN uplink counter, 32 bits; None where the format has none.
        session: what tells one join of the device from the next (DevAddr, session key id); "" if unknown.
        data: FRMPayload in plaintext; empty where there is none.
        object: what the server's own codec, or a script, made of it; None where nothing did.
        network_at: when the network server took it in, µs; None where it does not say.
        simulated: the server says that no radio was involved.
        size: bytes of the whole document that it came in, as it weighs on a queue.
    """

    __slots__ = (
        *("data", "f_cnt", "f_port", "network_at", "object", "session", "simulated", "size"),
    )

    def __init__(
        self,
        f_port: int,
        f_cnt: int | None,
        session: str,
        data: bytes,
        object: Mapping[str, Any] | None,  # noqa: A002 the field's own word
        network_at: Instant | None,
        simulated: bool = False,
    ) -> None:
        self.f_port = f_port
        self.f_cnt = f_cnt
        self.session = session
        self.data = data
        self.object = object
        self.network_at = network_at
        self.simulated = simulated
        self.size = len(data)

    @property
    def body(self) -> bytes:
        """What of it is the same in every copy, whichever format or server brought it: the digest's input."""
        return b"%s %d %b" % (self.session.encode(), self.f_port, self.data)

    def decoded(self, said: Mapping[str, Any]) -> "Forwarded":
        """The same uplink with what a script made of it."""
        return Forwarded(
            self.f_port,
            self.f_cnt,
            self.session,
            self.data,
            said,
            self.network_at,
            self.simulated,
        )

    def __repr__(self) -> str:
        return "<forwarded uplink>"

    def __reduce__(self) -> NoReturn:
        raise TypeError("raw uplinks are never serialised")
