"""What a gateway's configuration needs for simulated forwarders, as YAML, or as JSON for scripts."""

from typing import Any

from sekisho.radio_enrolment import CREDENTIAL
from simulators.lorawan.links import FORWARDER_GAIN_DB
from simulators.lorawan.meters import forwarder_eui

_UDP = """\
doors:
  - kind: lorawan_udp
    name: forwarders
    port: 1700
"""
_STATION = """\
doors:
  - kind: basics_station
    name: stations
    port: null
    tls: {port: 8888, certificate: tls/server.pem, key: tls/server.key}
"""
_LORAWAN = """\
lorawan:
  region: {region}
  forwarders:
"""


def settings(seed: int, forwarders: int, region: str, over: str | None = None) -> str:
    """The door and the list of those that may come in.

    Args:
        over: "station" for the door of Basics Station.
    """
    station = over == "station"
    proof = f"credential: {CREDENTIAL}" if station else "from: [127.0.0.0/8]"
    proof += f", gain_db: {FORWARDER_GAIN_DB:g}"
    euis = "".join(
        f"    - {{eui: {forwarder_eui(seed, n)}, {proof}}}\n" for n in range(1, forwarders + 1)
    )
    return (_STATION if station else _UDP) + _LORAWAN.format(region=region) + euis


def document(seed: int, forwarders: int, region: str, over: str | None = None) -> dict[str, Any]:
    """The same settings, for JSON."""
    if over == "station":
        tls = {"port": 8888, "certificate": "tls/server.pem", "key": "tls/server.key"}
        door: dict[str, Any] = {
            "kind": "basics_station",
            "name": "stations",
            "port": None,
            "tls": tls,
        }
        proof: dict[str, Any] = {"credential": CREDENTIAL}
    else:
        door = {"kind": "lorawan_udp", "name": "forwarders", "port": 1700}
        proof = {"from": ["127.0.0.0/8"]}
    proof["gain_db"] = FORWARDER_GAIN_DB
    listed = [{"eui": str(forwarder_eui(seed, n)), **proof} for n in range(1, forwarders + 1)]
    return {"doors": [door], "lorawan": {"region": region, "forwarders": listed}}
