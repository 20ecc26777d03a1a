"""A forwarder that may speak to us: its EUI, where it may come from, and its antenna."""

from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_address

from gateway.wire.lorawan.identifiers import Eui


@dataclass(frozen=True, slots=True)
class Forwarder:
    """One LoRa gateway.

    Attributes:
        networks: where it may come from; () for anywhere.
        gain_db: of its antenna, which counts towards EIRP; stations know that of theirs.
        credential: which it must prove; "" for none. Over UDP nobody can.
    """

    eui: Eui
    networks: tuple[IPv4Network | IPv6Network, ...] = ()
    gain_db: float = 0.0
    credential: str = ""

    def may_come_from(self, host: str) -> bool:
        """Whether this address is one of its own."""
        if not self.networks:
            return True
        address = ip_address(host)
        return any(address in network for network in self.networks)
