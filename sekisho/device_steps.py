"""What `doctor` looks at first of one device: what the registry says of it."""

from collections.abc import Mapping
from typing import Any

from gateway.devices.catalog import catalog
from gateway.model.device import Device, Directory
from gateway.model.errors import Refusal
from gateway.model.identity import DeviceId
from gateway.model.instant import Instant, to_rfc3339
from gateway.registry.attributes import dev_eui
from gateway.registry.registry import Registry
from gateway.registry.rules import kind_fault, require_device
from gateway.transports.mqtt_listener.guestbook import ANONYMOUS
from gateway.wire.topics import device_of
from sekisho import consented, facts, homes, place
from sekisho.examination import FAULT, GOOD, NOTE, Finding, Step
from sekisho.house_steps import House
from sekisho.radio_words import RESUME, of_course, of_trouble, of_vain
from sekisho.spans import ago
from sekisho.window import ask


def called(user: str) -> str:
    """A user name, or words for having none."""
    return "whoever has no user name" if user == ANONYMOUS else user


class Patient:
    """One device as it is registered.

    Attributes:
        name: its id.
        device: its entry; set once the first step has found it.
        speakers: credential → whether it can connect yet, of those that may speak for it.
    """

    def __init__(self, house: House, name: str) -> None:
        self._house = house
        self.name = name
        self._directory: Directory
        self.device: Device
        self.speakers: dict[str, bool] = {}

    def steps(self) -> list[Step]:
        """In the order in which a fault of one hides the next."""
        return [
            Step("registered", self._registered),
            Step("kind", self._kind),
            Step("credential", self._credential),
            Step("radio", self._radio),
            Step("rate", self._rate),
            Step("not served", self._unserved),
            Step("consent", self._consent),
            Step("home", self._home),
        ]

    def _registered(self) -> Finding:
        name = self.name
        with Registry.open(self._house.state, self._house.ring) as registry:
            self._directory = registry.directory()
            speaks = registry.credentials()
            known = registry.radio.read()
            self._roots = {root.device: root for root in known.roots.values()}
            self._sessions = {session.device for session in known.sessions}
            self._held = registry.radio.held()
            try:
                row = registry.device(name)
            except Refusal as refusal:
                if eui := dev_eui(name):
                    return self._by_eui(eui, registry)
                return Finding("registered", FAULT, str(refusal) + self._knocked(), self._add())
        self.device = self._directory.devices[DeviceId(name)]
        self.speakers = {
            user: self._can_connect(user) for user, known in speaks.items() if name in known
        }
        settings = self._house.settings
        if settings is not None and any(door.anonymous for door in settings.doors):
            self.speakers[ANONYMOUS] = True
        if row.revoked_at is not None:
            since = self._time(row.revoked_at)
            remedy = f"to let it speak again: sekisho devices restore {name}"
            return Finding("registered", FAULT, f"revoked on {since}: treated as unknown", remedy)
        return Finding("registered", GOOD, f"since {self._time(row.registered_at)}")

    def shares(self, user: str) -> bool:
        """Whether a credential speaks for other devices too; whoever has no user name may for all."""
        if user == ANONYMOUS:
            return True
        credential = self._directory.credentials.get(user)
        return credential is not None and len(credential.devices) > 1

    def _can_connect(self, user: str) -> bool:
        """Whether it has a token, or a door that takes a client certificate in its place."""
        credential = self._directory.credentials.get(user)
        settings = self._house.settings
        doors = () if settings is None else settings.doors
        certified = any(door.tls is not None and door.tls.client_ca is not None for door in doors)
        return credential is not None and (bool(credential.digest) or certified)

    def _by_eui(self, eui: str, registry: Registry) -> Finding:
        """Where a DevEUI stands in the place of a device: whose it is, or that it is nobody's."""
        owners = [one.device for one in registry.devices() if one.attributes.get("dev_eui") == eui]
        if owners:
            said, remedy = f"that is the DevEUI of {owners[0]}", f"sekisho doctor {owners[0]}"
        else:
            said = "no device has this DevEUI"
            remedy = f"sekisho devices add NAME --kind KIND --attribute dev_eui={eui}"
        return Finding("registered", FAULT, said, remedy)

    def _add(self) -> str:
        return f"sekisho devices add {self.name} --kind KIND"

    def _knocked(self) -> str:
        """Whether somebody tried to speak as the device that nobody registered."""
        for knock in reversed(self._house.said.get("knocks", [])):
            if knock["topic"] and device_of(knock["topic"]) == self.name:
                return (
                    f" {knock['user']} spoke for it {self._ago(knock['at'])} and was turned away."
                )
        return ""

    def _kind(self) -> Finding:
        device = self.device
        fault = kind_fault(device.kind)
        if fault is None:
            household = None if device.household is None else device.household.household
            try:
                require_device(self.name, device.kind, household, device.attributes)
            except Refusal as refusal:
                fault = str(refusal)
        if fault is not None:
            return Finding("kind", FAULT, fault, f"sekisho devices set {self.name} -a NAME=VALUE")
        hint = facts.hint(device.kind, device.attributes)
        return Finding("kind", GOOD, f"{device.kind}{'. ' + hint if hint else ''}")

    def _credential(self) -> Finding:
        if not self.speakers and (self.by_air or self._waits_for_keys):
            return Finding("credential", GOOD, "none is needed: it speaks LoRaWAN")
        if not self.speakers and self._by_broker():
            return Finding("credential", GOOD, "none is needed: it speaks through a broker")
        if not self.speakers:
            return Finding(
                "credential",
                FAULT,
                "no credential may speak for it",
                f"sekisho devices token {self.name} --for {self.name}",
            )
        ready = [user for user, can in self.speakers.items() if can]
        if not ready:
            user = next(iter(self.speakers))
            said = f"{user} may speak for it and has no token yet"
            return Finding("credential", FAULT, said, f"sekisho devices token {user}")
        return Finding("credential", GOOD, f"{' and '.join(map(called, ready))} may speak for it")

    @property
    def by_air(self) -> bool:
        """Whether it has LoRaWAN keys here, and forwarders may speak to this gateway."""
        settings = self._house.settings
        keys = self.device.device in self._roots or self.device.device in self._sessions
        return settings is not None and settings.lorawan is not None and keys

    @property
    def _waits_for_keys(self) -> bool:
        """Whether it has a DevEUI, forwarders may speak to this gateway, and nothing else brings its uplinks."""
        settings = self._house.settings
        if settings is None or settings.lorawan is None or settings.brokers or settings.pushes:
            return False
        return bool(self.device.attributes.get("dev_eui"))

    def _radio(self) -> Finding | None:
        """Its keys, whether it has joined, and what went wrong last; of people's devices its keys alone."""
        settings, device = self._house.settings, self.device
        if settings is None or settings.lorawan is None or not device.attributes.get("dev_eui"):
            return None
        if not self.by_air:
            if self.speakers or settings.brokers or settings.pushes:
                return None
            remedy = "sekisho devices import-keys FILE"
            return Finding("radio", FAULT, "it has a DevEUI and no LoRaWAN keys here", remedy)
        if self.name in self._held:
            said = "its counters are not known here, as after a restore or from another server: nothing of it is believed"
            return Finding("radio", FAULT, said, RESUME.replace("DEVICE", self.name))
        if catalog()[device.kind].personal and not self._house.said.get("exact"):
            return Finding("radio", GOOD, "its keys are here")
        return self._trouble() or self._joined()

    def _rate(self) -> Finding | None:
        """How the network has set it, where it does that and may tell."""
        if not self.by_air:
            return None
        return of_course(self._asked()["course"])

    def _unserved(self) -> Finding | None:
        if not self.by_air:
            return None
        return next(
            (of_vain(o) for o in self._asked()["unserved"] if o["device"] == self.name), None
        )

    def _asked(self) -> Mapping[str, Any]:
        return next(ask(self._house.state, "radio", place.PATIENCE_S, device=self.name))

    def _trouble(self) -> Finding | None:
        for trouble in self._asked()["troubles"]:
            if trouble["device"] == self.name:
                return of_trouble(trouble, self._house.clock)
        return None

    def _joined(self) -> Finding:
        root = self._roots.get(self.device.device)
        if root is None:
            return Finding("radio", GOOD, "its keys are here; it never joins (ABP)")
        if not root.join_nonce:
            return Finding(
                "radio",
                FAULT,
                "its keys are here, and it has never joined",
                "switch it on near a forwarder; compare its DevEUI and JoinEUI; sekisho doctor lorawan looks at the forwarders",
            )
        return Finding("radio", GOOD, "it has joined")

    def _by_broker(self) -> bool:
        """Whether it is known to a network server or a bridge, and a broker is configured that may bring what that says."""
        settings = self._house.settings
        return settings is not None and bool(
            settings.brokers and {"dev_eui", "codec"} & set(self.device.attributes)
        )

    def _consent(self) -> Finding | None:
        if not facts.needs_household(self.device.kind):
            return None
        lanes = consented.lanes_in(self._house.settings, self._house.state)
        needed = consented.needed(lanes)
        if needed and needed.isdisjoint(self.device.consents):
            lane = "" if len(needed) == 1 else f" --purpose {'|'.join(sorted(needed))}"
            return Finding(
                "consent",
                FAULT,
                f"no guardian's opt-in for {' or '.join(sorted(needed))} is recorded, so nothing of it is ever kept",
                f"once you hold it: sekisho devices consent {self.name}{lane} --by WHO --text SHEET",
            )
        return Finding("consent", GOOD, "recorded")

    def _home(self) -> Finding | None:
        """Of a home only whether it is known, and whether it lies where this gateway serves."""
        if not facts.needs_household(self.device.kind):
            return None
        household = self.device.household
        settings = self._house.settings
        policy = None if settings is None else settings.policy
        if (why := homes.unusable(household, policy)) is not None:
            remedy = "sekisho devices import-homes FILE"
            if household is None:
                remedy = f"sekisho devices set {self.name} --household NAME, then {remedy}"
            if household is not None and homes.in_no_zone(household, policy):
                remedy = f"if its home is wrong: {remedy}; else tell its parents"
            return Finding("home", FAULT, f"{why}, so nothing of it is ever kept", remedy)
        if settings is None:
            return Finding(
                "home", NOTE, "known; without a configuration nobody can say if it is inside"
            )
        if household is None or household.home is None:
            return Finding("home", GOOD, "known, as a zone")
        if not settings.policy.in_area(household.home.lat, household.home.lon):
            return Finding(
                "home",
                FAULT,
                "its home lies outside the service area, and so does what is near it: nothing outside "
                "is ever kept",
                f"correct service_area in {settings.file}, or the home: sekisho devices import-homes FILE",
            )
        return Finding("home", GOOD, "known, inside the service area")

    def _ago(self, at: Instant) -> str:
        return ago(at, self._house.clock)

    def _time(self, at: Instant) -> str:
        return to_rfc3339(at, place.zone_of(self._house.settings))[:16].replace("T", " ")
