"""What `doctor` looks at last of one device: what the running gateway remembers of its uplinks."""

import sqlite3
from collections.abc import Mapping
from contextlib import closing
from typing import Any
from urllib.parse import quote

from gateway.devices.catalog import catalog
from gateway.devices.tables import table_columns
from gateway.model.instant import DAY, HOUR, Instant
from gateway.model.reason import Fate, Reason
from gateway.wire.topics import device_of
from sekisho.device_steps import Patient, called
from sekisho.examination import FAULT, GOOD, NOTE, Finding, Step
from sekisho.house_steps import House
from sekisho.spans import ago, span

_MEANT: Mapping[str, str] = {
    Reason.INSIDE_HOME: "it is at home: this is the mask at work, nothing is lost that may be kept",
    Reason.NOT_REOPENED: "it has just left home: three good fixes farther out open it again",
    Reason.POOR_ACCURACY: "its fixes are too poor to be judged: see it under the open sky",
    Reason.NO_FIX: "it sends no position: see it under the open sky; if it stays so, its receiver is dead",
    Reason.ZERO_ZERO: "it sends the position (0, 0), which receivers send that have none",
    Reason.LATE: "what it sends is more than seven days old: look at its clock and its memory",
}
"""What a suppression means where the device itself may be at fault, or nothing is."""


def _by(radio: list[tuple[str, float | None, float | None]]) -> str:
    """Who heard the last uplink that came by radio, the strongest with its figures."""
    if not radio:
        return ""
    _, rssi, snr = max(radio, key=lambda one: -999.0 if one[1] is None else one[1])
    best = (
        "" if rssi is None else f", best {rssi:g} dBm" + ("" if snr is None else f" at {snr:g} dB")
    )
    return f" · by {len(radio)} forwarder{'' if len(radio) == 1 else 's'}{best}"


class Trail:
    """The way of a device's uplinks, from its connection to its newest row."""

    def __init__(self, house: House, patient: Patient) -> None:
        self._house = house
        self._patient = patient

    def steps(self) -> list[Step]:
        """In the order an uplink meets them."""
        return [
            Step("connection", self._connection),
            Step("topic", self._topic),
            Step("heard", self._heard),
            Step("payload", self._payload),
            Step("its clock", self._its_clock),
            Step("kept", self._kept),
        ]

    def _connection(self) -> Finding:
        said = self._house.said
        heard = self._memory().get("heard") or 0
        came = {u: at for u, at in said["connected"].items() if u in self._patient.speakers}
        for knock in reversed(said["knocks"]):
            if knock["topic"] is not None or knock["user"] not in self._patient.speakers:
                continue
            if knock["user"] in said["shut_out"] and knock["at"] > heard:
                return self._refused(knock)
        if came:
            times = [at for at in came.values() if at is not None]
            when = f"last one {self._ago(max(times))}" if times else "since this gateway started"
            return Finding("connection", GOOD, when)
        if self._patient.by_air:
            return Finding("connection", GOOD, "none of its own: it speaks LoRaWAN")
        if heard:
            return Finding("connection", GOOD, "none of its own: it speaks through a broker")
        strangers = sorted({k["user"] for k in said["knocks"] if k["user"] is not None})
        seen = f"; turned away meanwhile: {', '.join(strangers[:3])}" if strangers else ""
        users = " or ".join(called(u) for u, ready in self._patient.speakers.items() if ready)
        return Finding(
            "connection",
            FAULT,
            f"nobody has connected as {users} since this gateway started{seen}",
            "look at the device's host, port and user name: sekisho doctor shows the doors",
        )

    def _refused(self, knock: Mapping[str, Any]) -> Finding:
        user, why = knock["user"], knock["why"]
        if why == "BAD_CREDENTIALS":
            said = f"{user} was turned away {self._ago(knock['at'])}: its token is not the registered one"
            remedy = f"sekisho devices token {user} gives it a new one; put that into the device"
        else:
            said = f"{user} was turned away {self._ago(knock['at'])} ({why})"
            remedy = "docs/protocol.md says what each refusal means"
        return Finding("connection", FAULT, said, remedy)

    def _topic(self) -> Finding | None:
        """A topic that leads nowhere, tried after the last good uplink.

        It is this device's fault for certain only where it was never heard, or speaks alone for its
        credential; and where no time is said, it may be mended already.
        """
        memory = self._memory()
        heard = memory.get("heard") or 0
        for knock in reversed(self._house.said["knocks"]):
            if knock["topic"] is None or knock["user"] not in self._patient.speakers:
                continue
            if knock["at"] <= heard:
                return None
            if memory.get("heard_today") or (heard and self._patient.shares(knock["user"])):
                said = (
                    f"{called(knock['user'])} also tried {knock['topic']} {self._ago(knock['at'])}"
                )
                return Finding("topic", NOTE, f"{said}: {knock['why']}")
            good = f"sekisho/v1/{self._patient.name}/up (JSON), sekisho/v1/{self._patient.name}/up/bin (binary)"
            if knock["why"] == Reason.UNKNOWN_TOPIC:
                said = f"{called(knock['user'])} publishes on {knock['topic']}, which is nobody's topic"
                return Finding("topic", FAULT, said, f"publish on {good}")
            if device_of(knock["topic"]) != self._patient.name:
                said = f"{called(knock['user'])} publishes on {knock['topic']}: {knock['why']}"
                return Finding("topic", FAULT, said, f"as this device, publish on {good}")
        return None

    def _heard(self) -> Finding:
        memory = self._memory()
        if memory.get("heard_today"):
            return Finding("heard", GOOD, "today. More is not said of people's devices here")
        heard = memory.get("heard")
        fault = memory.get("fault")
        times = [at for at in (heard, fault and fault["at"]) if at]
        if times:
            by = _by(memory.get("radio") or [])
            return Finding("heard", GOOD, f"last {self._ago(max(times))}{by}")
        return Finding(
            "heard",
            FAULT,
            "not one uplink of it has come since this gateway started"
            if "heard" in memory
            else "not heard today",
            "wait for its next report, or switch it off and on; sekisho doctor lorawan looks at the forwarders"
            if self._patient.by_air
            else f"see that it publishes at QoS 1 or 2 on sekisho/v1/{self._patient.name}/up",
        )

    def _payload(self) -> Finding | None:
        memory = self._memory()
        fault = memory.get("fault")
        if fault is None or fault["at"] <= (memory.get("heard") or 0):
            return Finding("payload", GOOD, "can be decoded") if memory.get("heard") else None
        kind = self._patient.device.kind
        where = fault["where"]
        if fault["like"] is not None:
            return Finding(
                "payload",
                FAULT,
                f"it does not speak as a {kind} but as a {fault['like']}",
                f"if it is one: sekisho devices set {self._patient.name} --kind {fault['like']}",
            )
        if fault["reason"] == Reason.OUT_OF_RANGE:
            said = f"{where} lies outside its limits"
            return Finding(
                "payload", FAULT, said, f"look at the sensor; docs/kinds.md has {kind}'s limits"
            )
        return Finding(
            "payload",
            FAULT,
            f"{fault['reason']}: {where}",
            f"docs/kinds.md has the layout of {kind}; sekisho decode PAYLOAD --kind {kind} tries one",
        )

    def _its_clock(self) -> Finding | None:
        memory = self._memory()
        sent, heard = memory.get("device_time"), memory.get("heard")
        if sent is None or heard is None:
            return None
        ahead, behind = sent - heard > HOUR, heard - sent > 7 * DAY
        if ahead or behind or sent < self._patient.device.registered_at:
            by = span(abs(sent - heard))
            said = f"{by} {'ahead of' if sent > heard else 'behind'} ours"
            taken = (
                "its rows carry our time instead"
                if ahead or not behind
                else "what it says counts as late"
            )
            return Finding(
                "its clock", FAULT, f"{said}: {taken}", "set it, or let it send no t at all"
            )
        return Finding("its clock", GOOD, f"within {span(abs(sent - heard))} of ours")

    def _kept(self) -> Finding | None:
        memory = self._memory()
        if "heard_today" in memory:
            return None
        if memory.get("fate") == Fate.SUPPRESSED:
            reason = memory["reason"]
            if reason == Reason.OUTSIDE_AREA:
                return Finding(
                    "kept",
                    FAULT,
                    "its last fix lies outside the service area, and nothing outside is ever kept",
                    "correct service_area in gateway.yaml, or see where the device is",
                )
            meaning = _MEANT.get(reason, "docs/mask.md says when that is so")
            return Finding("kept", NOTE, f"masked, not lost ({reason}): {meaning}")
        if memory.get("fate") == Fate.COUNTED:
            return Finding("kept", GOOD, "a sign of life: heard and counted")
        try:
            newest = self._newest_row()
        except sqlite3.Error as error:
            said = f"{self._house.state.city_db} cannot be read: {error}"
            return Finding("kept", FAULT, said, "look at the disk, and bring the file back")
        said = "in its personal file" if newest is None else f"newest row {self._ago(newest)}"
        return Finding("kept", GOOD, said)

    def _newest_row(self) -> Instant | None:
        """When the newest row of a thing of the city came; None for people's devices."""
        kind = catalog()[self._patient.device.kind]
        if kind.personal or not any(c.name == "received_at" for c in table_columns(kind)):
            return None
        path = str(self._house.state.city_db)
        with closing(sqlite3.connect(f"file:{quote(path)}?mode=ro", uri=True)) as db:
            query = f"SELECT max(received_at) FROM {kind.name} WHERE device = ?"  # noqa: S608
            found: Instant | None = db.execute(query, (self._patient.name,)).fetchone()[0]
        return found

    def _memory(self) -> Mapping[str, Any]:
        memory: Mapping[str, Any] = self._house.said.get("device") or {}
        return memory

    def _ago(self, at: Instant) -> str:
        return ago(at, self._house.clock)
