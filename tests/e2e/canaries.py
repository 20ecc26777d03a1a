"""Things that must never be found: positions with long tails, tags, names; and uplinks full of them."""

import json
from collections.abc import Iterator
from random import Random
from struct import pack

from gateway.canary.canaries import Canaries
from gateway.model.instant import DAY, SECOND, Instant, to_datetime
from gateway.wire.mqtt import encode
from gateway.wire.mqtt.fields import put_binary
from tests.e2e.crowd import LAT_M, Uplink
from tests.e2e.town import Member, child, member, reader

STRANGER = "stranger-qzkxw"
"""An id that nobody registered."""


class Secrets:
    """A handful of devices and everything about them that may not be kept, from one seed."""

    def __init__(self, seed: int) -> None:
        self._dice = Random(seed)
        self.home = (36.8 + self._dice.random() / 50, 137.9 + self._dice.random() / 50)
        self.inside = [
            (
                self.home[0] + self._dice.uniform(-35, 35) * LAT_M,
                self.home[1] + self._dice.uniform(-20, 20) * LAT_M,
            )
            for _ in range(40)
        ]
        self.elsewhere = [
            (36.9 + self._dice.random() / 50, 137.7 + self._dice.random() / 50) for _ in range(20)
        ]
        self.tags = [f"{self._dice.getrandbits(96):024X}" for _ in range(20)]
        self.members: list[Member] = [
            child("at-home", self.home),
            {**child("nobody-agreed", self.elsewhere[0]), "consent": False},
            member("homeless", "child_tracker", household="house-homeless", consent=True),
            reader("school-gate"),
        ]

    def canaries(self) -> Canaries:
        """What to search for."""
        return Canaries(
            (self.home, *self.inside, *self.elsewhere),
            tuple(self.tags),
            (STRANGER, "qzkxw-token", "qzkxw-user"),
        )

    def uplinks(self, now: Instant) -> Iterator[Uplink]:
        """Everything that can be wrong or private about an uplink, with the canaries in it."""
        start = now - 600 * SECOND
        for n, place in enumerate(self.inside):
            yield _fix("at-home", place, start + n * SECOND, n)
        for n, place in enumerate(self.inside[:10], start=50):
            yield Uplink("at-home", "", b"sekisho/v1/at-home/up/bin", _eleven_bytes(place))
            yield _fix("at-home", place, start - 8 * DAY, n)
        for n, place in enumerate(self.elsewhere):
            yield _fix("nobody-agreed", place, start + n * SECOND, n)
            yield _fix("homeless", place, start + n * SECOND, n)
            yield _fix(STRANGER, place, start + n * SECOND, n)
            yield from _broken(place, self.tags[n], start + (100 + n) * SECOND)
        for n, tag in enumerate(self.tags):
            read = {"epc": tag, "antenna": 1, "rssi_dbm": -50}
            body = {"t": _text(start + n * SECOND), "seq": n, "reads": [read]}
            yield Uplink("school-gate", "", b"sekisho/v1/school-gate/up", json.dumps(body).encode())

    def oversize(self, credential: tuple[str, str]) -> bytes:
        """A greeting and a packet larger than any door takes, canaries all over."""
        payload = json.dumps([*self.inside, *self.tags] * 60).encode()
        publish = encode.publish(4, b"sekisho/v1/at-home/up", payload, 1, 1)
        return encode.connect(4, "big", credential[0], credential[1].encode(), 60) + publish

    def impostor(self) -> bytes:
        """A greeting with a user name and a token that are none."""
        return encode.connect(4, STRANGER, "qzkxw-user", b"qzkxw-token", 60)

    def gibberish(self) -> bytes:
        """Text with a position in place of a packet."""
        return put_binary(json.dumps(self.inside[0]).encode())


def _text(at: Instant) -> str:
    return to_datetime(at).isoformat()


def _fix(device: str, place: tuple[float, float], at: Instant, seq: int) -> Uplink:
    body = {"t": _text(at), "seq": seq, "lat": place[0], "lon": place[1], "accuracy_m": 5}
    return Uplink(device, "", b"sekisho/v1/%b/up" % device.encode(), json.dumps(body).encode())


def _eleven_bytes(place: tuple[float, float]) -> bytes:
    return pack(">iiBBB", round(place[0] * 1e7), round(place[1] * 1e7), 5, 100, 0)


def _broken(place: tuple[float, float], tag: str, at: Instant) -> Iterator[Uplink]:
    """Rejected uplinks, of a child, a reader and a thing of the city."""
    good = json.dumps({"t": _text(at), "seq": 1, "lat": place[0], "lon": place[1]}).encode()
    bad_read = {"epc": tag, "antenna": 99, "rssi_dbm": -50}
    for topic, payload in (
        ("at-home/up", good[:-1]),
        ("at-home/up", good.replace(b"{", b'{"accuracy_m":-5,')),
        ("at-home/up", good.replace(b'"t": "', b'"t": "\xff\xfe')),
        ("at-home/up/bin", good),
        ("at-home/sideways", good),
        (f"{place[0]!r}/{place[1]!r}", good),
        ("river-0/up", good),
        ("river-0/up", good[:-1]),
        ("foreign/up", good),
        ("school-gate/up", json.dumps({"t": _text(at), "seq": 1, "reads": [bad_read]}).encode()),
        (f"{STRANGER}/up", tag.encode()),
    ):
        yield Uplink(topic, "", f"sekisho/v1/{topic}".encode(), payload)
