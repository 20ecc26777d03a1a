"""What `doctor` looks at before any device: settings, directory, keys, disk, doors, gateway, clock."""

import os
import ssl
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from cryptography import x509

from gateway.app import ports
from gateway.clock import Clock, SystemClock
from gateway.keys.ring import KeyRing
from gateway.model.errors import Refusal
from gateway.model.instant import to_datetime
from gateway.settings.load import Settings, SettingsError, load_settings
from gateway.settings.settings import Listening
from gateway.statedir import StateDir
from sekisho import place, screen
from sekisho.examination import FAULT, GOOD, NOTE, Finding, Step
from sekisho.window import ask, is_answered

_LEAST_FREE = 64 << 20
"""Bytes under which a disk counts as full: a batch, its journal and some minutes to act."""

_SOON_DAYS = 14


class House:
    """One gateway from outside; each look fills in what the next one needs.

    Args:
        state, keys, config: the options of that name; None where not given.
        device: whose memory to ask the gateway for.
    """

    def __init__(
        self, state: Path | None, keys: Path | None, config: Path | None, device: str | None
    ) -> None:
        self._state_option, self._keys_option, self._config = state, keys, config
        self._device = device
        self.settings: Settings | None = None
        self.said: Mapping[str, Any] = {}
        self.state: StateDir
        self.ring: KeyRing
        self.clock: Clock = SystemClock()

    def steps(self) -> list[Step]:
        """In the order in which a fault of one hides the next."""
        return [
            Step("settings", self._settings),
            Step("directory", self._directory),
            Step("keys", self._keys),
            Step("disk", self._disk),
            Step("certificate", self._certificates),
            Step("ports", self._ports),
            Step("gateway", self._gateway),
            Step("store", self._store),
            Step("brokers", self._brokers),
            Step("our clock", self._our_clock),
        ]

    def _settings(self) -> Finding:
        path = self._config or place.DEFAULT_CONFIG
        if self._config is None and not path.is_file():
            return Finding(
                "settings", NOTE, f"no {path} here; the state directory speaks for itself"
            )
        try:
            self.settings = load_settings(path)
        except SettingsError as error:
            faults = screen.count(len(error.complaints), "fault")
            first = str(error).splitlines()[0]
            return Finding(
                "settings", FAULT, f"{path} has {faults}: {first}", f"sekisho check {path}"
            )
        return Finding("settings", GOOD, str(path))

    def _directory(self) -> Finding:
        try:
            path = place.state_path(self._state_option, self._config, self.settings)
            self.state = place.opened(path)
        except Refusal as refusal:
            return Finding("directory", FAULT, str(refusal))
        self.clock = place.clock_of(self.state)
        return Finding("directory", GOOD, f"{self.state.path} ({self.state.mark or 'not marked'})")

    def _keys(self) -> Finding:
        try:
            root = place.keys_root(self.state.path, self.state.id, self._keys_option, self.settings)
            zone = place.zone_of(self.settings)
            self.ring = KeyRing.open(root, self.state.id, self.clock, zone)
        except Refusal as refusal:
            return Finding("keys", FAULT, str(refusal))
        return Finding("keys", GOOD, str(self.ring.path))

    def _disk(self) -> Finding:
        disk = os.statvfs(self.state.path)
        free = disk.f_bavail * disk.f_frsize
        if disk.f_flag & os.ST_RDONLY:
            return Finding(
                "disk",
                FAULT,
                f"{self.state.path} lies on a disk that is mounted read-only: nothing can be stored",
                "look at what the kernel says (dmesg), mend the disk and mount it for writing; a "
                "gateway that runs goes on by itself",
            )
        if free < _LEAST_FREE:
            return Finding(
                "disk",
                FAULT,
                f"the disk of {self.state.path} is full: {free / 2**20:,.0f} MiB are left, and "
                "nothing is acknowledged that cannot be stored",
                "free some space; a gateway that runs goes on by itself, and devices send again",
            )
        return Finding("disk", GOOD, f"{free / 2**30:,.1f} GiB free")

    def _certificates(self) -> Finding | None:
        doors = [door for door in self._doors() if door.tls is not None]
        now = to_datetime(SystemClock().now())
        until: datetime | None = None
        for door in doors:
            found, last = _certificate(door, now)
            if found is not None:
                return found
            until = last if until is None else min(until, last)
        if until is None:
            return None
        left = (until - now).days
        if left <= _SOON_DAYS:
            soon = f"runs out in {screen.count(left, 'day')}"
            return Finding("certificate", NOTE, soon, "renew it, and start the gateway again")
        return Finding("certificate", GOOD, f"good until {until.date()}")

    def _ports(self) -> Finding | None:
        """Whether somebody else sits where a door is to open; nothing to see while it is open."""
        if is_answered(self.state):
            return None
        for door in self._doors():
            for setting, port in (("port", door.port), ("tls.port", door.tls and door.tls.port)):
                who = ports.holder(port) if port else None
                if port and who is not None:
                    return Finding(
                        "ports",
                        FAULT,
                        f"port {port} of door {door.name} is taken: {who} holds it",
                        f"stop that, or choose another port: doors[{door.name}].{setting} "
                        "(0 takes a free one)",
                    )
        return Finding("ports", GOOD, "free") if self._doors() else None

    def _gateway(self) -> Finding:
        try:
            self.said = next(ask(self.state, "doctor", place.PATIENCE_S, device=self._device))
        except (Refusal, StopIteration) as error:
            return Finding("gateway", FAULT, str(error) or "the gateway hung up")
        if "shut_out" not in self.said:
            said = "it is of another version than this command, and was not asked further"
            return Finding("gateway", FAULT, said, "start it again: sekisho run")
        doors = place.running(self.state).get("doors", {})
        open_at = ", ".join(
            f"{name} {door['host']}:{door['port'] or door['tls_port']}"
            for name, door in doors.items()
        )
        return Finding("gateway", GOOD, f"runs; doors: {open_at}")

    def _store(self) -> Finding | None:
        """A gateway that waits for its disk or its keys acknowledges nothing."""
        standing = self.said.get("standing", ())
        if "store unavailable" in standing:
            return Finding(
                "store",
                FAULT,
                "the disk refuses to write, so nothing is acknowledged: it is full, read-only or broken",
                "mend it; the gateway goes on by itself, and devices send again",
            )
        if "keys unavailable" in standing:
            return Finding(
                "store",
                FAULT,
                f"the keys in {self.ring.path} can be neither read nor made, so nothing is acknowledged",
                "mend that place; the gateway goes on by itself",
            )
        return None

    def _brokers(self) -> Finding | None:
        """A broker of somebody else's that the gateway is not connected to."""
        brokers = next(ask(self.state, "brokers", place.PATIENCE_S))["brokers"]
        for broker in brokers:
            if broker["error"]:
                return Finding(
                    "brokers",
                    FAULT,
                    f"{broker['name']} at {broker['url']}: {broker['error']}",
                    f"mend that, or the settings of doors[{broker['name']}]; the gateway tries again by itself",
                )
        names = ", ".join(f"{broker['name']} {broker['url']}" for broker in brokers)
        return Finding("brokers", GOOD, f"connected: {names}") if brokers else None

    def _our_clock(self) -> Finding | None:
        facts = self.said.get("facts", {})
        if facts.get("clock jumped", 0) > facts.get("clock trusted", 0):
            return Finding(
                "our clock",
                FAULT,
                "this machine's clock has jumped, or nothing keeps it right: retention waits, and rows "
                "may carry a wrong time",
                "synchronise it (chrony, systemd-timesyncd); if it is right, start once with "
                "sekisho run --clock-is-right",
            )
        now = to_datetime(self.clock.now(), place.zone_of(self.settings))
        return Finding("our clock", GOOD, now.isoformat(" ", "seconds"))

    def _doors(self) -> tuple[Listening, ...]:
        """The configured doors, where the configuration is this directory's."""
        settings = self.settings
        ours = settings is not None and settings.state.resolve() == self.state.path.resolve()
        if settings is None or not ours:
            return ()
        return (*settings.doors, *settings.pushes, *settings.stations)


def _certificate(door: Listening, now: datetime) -> tuple[Finding | None, datetime]:
    """What is wrong with a door's certificate, and when it ends."""
    assert door.tls is not None
    path = door.tls.certificate
    try:
        loaded = x509.load_pem_x509_certificate(path.read_bytes())
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(path, door.tls.key, password=lambda: b"")
    except (OSError, ValueError) as error:
        said = f"{path} with {door.tls.key} cannot be used ({type(error).__name__})"
        remedy = f"both must be PEM files that belong together, the key without a passphrase: doors[{door.name}].tls"
        return Finding("certificate", FAULT, said, remedy), now
    begins, ends = loaded.not_valid_before_utc, loaded.not_valid_after_utc
    if not begins <= now <= ends:
        when = f"expired on {ends.date()}" if now > ends else f"is not valid before {begins.date()}"
        return (
            Finding(
                "certificate",
                FAULT,
                f"{path} {when}: devices that look at it do not connect",
                f"put a new one in its place (doors[{door.name}].tls), and start the gateway again",
            ),
            ends,
        )
    return None, ends
