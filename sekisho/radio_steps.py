"""What `doctor lorawan` looks at: forwarders, what they hear, and what became of it."""

from collections.abc import Mapping
from typing import Any

from gateway.lorawan.refusals import Refused
from gateway.model.errors import Refusal
from gateway.model.reason import Fate
from sekisho import place, screen
from sekisho.examination import FAULT, GOOD, NOTE, Finding, Step
from sekisho.house_steps import House
from sekisho.radio_words import RESUME, of_trouble, of_vain
from sekisho.window import ask

_CLOCK_S = 60
_HARMED_PERCENT = 30
_ELSEWHERE_PERCENT = 50


class Air:
    """One network from outside.

    Attributes:
        census: how its forwarders hear (`gateway.lorawan.census`); None before the gateway was asked.
        people: whether its numbers are coarse because people's devices may be among those that speak.
    """

    def __init__(self, house: House) -> None:
        self._house = house
        self._said: Mapping[str, Any] = {}
        self.census: Mapping[str, Any] | None = None
        self.people = False

    def steps(self) -> list[Step]:
        """In the order in which a frame meets them."""
        return [
            Step("lorawan", self._asked),
            Step("forwarders", self._forwarders),
            Step("way back", self._way_back),
            Step("their clocks", self._clocks),
            Step("CRC", self._crc),
            Step("channels", self._channels),
            Step("counters", self._counters),
            Step("devices", self._devices),
            Step("strangers", self._strangers),
            Step("not served", self._unserved),
            Step("downlinks", self._downlinks),
            Step("mask", self._masked),
        ]

    def _asked(self) -> Finding:
        try:
            self._said = next(ask(self._house.state, "radio", place.PATIENCE_S))
        except (Refusal, StopIteration):
            return Finding(
                "lorawan",
                FAULT,
                "the running gateway speaks no LoRaWAN",
                "name the region and the forwarders under lorawan:, open a door (docs/pilot-lora.md), and start again",
            )
        self.census, self.people = self._said["census"], self._said["people"]
        sessions = screen.count(self._said["sessions"], "device")
        return Finding("lorawan", GOOD, f"runs; {sessions} with a session")

    def _forwarders(self) -> Finding:
        roofs = self._said["forwarders"]
        knocks = self._house.said.get("knocks", [])
        turned = {k["user"]: k["why"] for k in knocks if str(k["user"]).startswith("forwarder ")}
        strangers = sorted(turned)
        for roof in roofs:
            why = turned.get(f"forwarder {roof['eui']}")
            if not roof["seen"] and why is not None:
                return Finding(
                    "forwarders",
                    FAULT,
                    f"forwarder {roof['eui']} speaks and is turned away: {why}",
                    "mend its from or its credential under lorawan.forwarders, and start again",
                )
            if not roof["seen"]:
                also = f"; turned away meanwhile: {', '.join(strangers)}" if strangers else ""
                return Finding(
                    "forwarders",
                    FAULT,
                    f"forwarder {roof['eui']} has said nothing since this gateway started{also}",
                    "look at its server address and port, the firewall between, and its EUI and `from` under lorawan.forwarders",
                )
            if not roof["there"]:
                return Finding(
                    "forwarders",
                    FAULT,
                    f"forwarder {roof['eui']} has fallen silent",
                    "look at its power and its network",
                )
        return Finding("forwarders", GOOD, f"{len(roofs)} of {len(roofs)} there")

    def _way_back(self) -> Finding:
        for roof in self._said["forwarders"]:
            if not roof["reachable"]:
                return Finding(
                    "way back",
                    FAULT,
                    f"forwarder {roof['eui']} pushes and does not pull: nothing can be answered through it",
                    "set its serv_port_down to the door's port, and let UDP answers through its firewall",
                )
        return Finding("way back", GOOD, "open")

    def _clocks(self) -> Finding | None:
        for roof in self._said["forwarders"]:
            ahead_s = roof["ahead_s"]
            if ahead_s is not None and abs(ahead_s) > _CLOCK_S:
                side = "ahead of" if ahead_s > 0 else "behind"
                return Finding(
                    "their clocks",
                    NOTE,
                    f"that of forwarder {roof['eui']} is {abs(ahead_s):,} s {side} ours; nothing here goes by it",
                    "set it (NTP), or its own log misleads",
                )
        return None

    def _crc(self) -> Finding | None:
        for roof in self._said["forwarders"]:
            percent = roof["harmed_percent"]
            if percent is not None and percent > _HARMED_PERCENT:
                return Finding(
                    "CRC",
                    NOTE,
                    f"{percent} % of what forwarder {roof['eui']} hears is harmed on the air",
                    "look at its antenna and its cable, and at what else sends nearby",
                )
        return None

    def _channels(self) -> Finding:
        roofs = self._said["forwarders"]
        for roof in roofs:
            percent = roof["elsewhere_percent"]
            if percent is not None and percent > _ELSEWHERE_PERCENT:
                return Finding(
                    "channels",
                    FAULT,
                    f"{percent} % of what forwarder {roof['eui']} hears lies on no channel of this region",
                    "compare its channel plan, the devices' region and lorawan.region: they must be one",
                )
        if not any(roof["hears"] for roof in roofs):
            return Finding(
                "channels",
                FAULT,
                "the forwarders are there and hear no frame",
                "switch a device on near one; if it stays so, compare the channel plan with the region, and look at the antenna",
            )
        return Finding("channels", GOOD, "frames are heard on those of the region")

    def _counters(self) -> Finding | None:
        """Whoever waits for a word, after a restore or from another server; that is known of the registry, and not of an uplink."""
        held = self._said["held"]
        if not held:
            return None
        names = ", ".join(held[:3]) + (f" and {len(held) - 3} more" if held[3:] else "")
        return Finding(
            "counters",
            FAULT,
            f"not known, as after a restore or from another server: {names}",
            RESUME,
        )

    def _devices(self) -> Finding:
        told = []
        for trouble in self._said["troubles"]:
            found = of_trouble(trouble, self._house.clock)
            if found is not None:
                told.append(
                    found._replace(step="devices", said=f"{trouble['device']}, {found.said}")
                )
        for one in sorted(told, key=lambda finding: finding.result != FAULT):
            return one
        return Finding("devices", GOOD, "none of ours was refused since it was believed last")

    def _strangers(self) -> Finding | None:
        refused = self._said["refused"]
        unknown = refused.get(Refused.UNKNOWN_DEVICE, 0)
        if unknown:
            return Finding(
                "strangers",
                NOTE,
                f"devices that are not registered asked to join ({unknown})",
                "if one is yours: sekisho devices add … -a dev_eui=…, and import its key",
            )
        other = refused.get(Refused.OTHER_NETWORK, 0)
        if other:
            return Finding(
                "strangers",
                NOTE,
                f"frames of other networks are heard and passed over ({other})",
                "nothing; a device of yours among them must join again, because its DevAddr is of no session here",
            )
        return None

    def _unserved(self) -> Finding | None:
        """What is asked for in vain: Class A is all that is done."""
        asked = [of_vain(one) for one in self._said["unserved"]]
        if asked:
            first = asked[0]
            return first._replace(said=f"{self._said['unserved'][0]['device']}, {first.said}")
        rejoins = self._said["refused"].get(Refused.REJOIN, 0)
        if rejoins:
            return Finding(
                "not served",
                NOTE,
                f"rejoin-requests were heard ({rejoins}), as devices of LoRaWAN 1.1 send them to roam or to change keys: refused",
                "nothing: the device's session goes on; it may join again",
            )
        return None

    def _downlinks(self) -> Finding | None:
        for clause, count in self._said["law"].items():
            return Finding(
                "downlinks",
                NOTE,
                f"{self._at_least}{screen.count(count, 'window')} of downlinks could not be used: {clause}",
                "another forwarder takes over where one is near; confirmed uplinks and joins at longer intervals help",
            )
        lost = {what: n for what, n in self._said["downlinks"].items() if " not sent: " in what}
        for what, count in lost.items():
            return Finding(
                "downlinks",
                NOTE,
                f"{what} ({self._at_least}{count:,})",
                "TOO_LATE: the network to the forwarder is slow; TX_FREQ, TX_POWER: its own configuration does not fit the region",
            )
        return None

    @property
    def _at_least(self) -> str:
        return "at least " if self.people else ""

    def _masked(self) -> Finding | None:
        """Where nobody is real it can be said what the mask did."""
        if not self._house.said.get("exact"):
            return None
        terms = next(ask(self._house.state, "terms", place.PATIENCE_S))["terms"]
        masked = sum(t["count"] or 0 for t in terms if t["fate"] == Fate.SUPPRESSED.value)
        if not masked:
            return None
        said = f"{screen.count(masked, 'uplink')} came and became no row: masked, not lost"
        return Finding("mask", NOTE, said)
