"""The simulated fleet in a registry: in our own SIM directory, or as a file for any other system."""

import json
import os
from collections.abc import Iterable, Sequence
from pathlib import Path

from gateway.model.errors import Refusal
from gateway.model.instant import Instant
from gateway.registry.purposes import PURPOSES
from gateway.registry.registry import Registry
from gateway.statedir import Mark, StateDir
from sekisho import place
from simulators.fleet import SimDevice
from simulators.ledger import roster_line

CREDENTIAL = "fleet"
_GUARDIAN = "simulated guardian"
_CONSENT_TEXT = "Simulated guardian of a fictional child agrees to what each lane is for."


def token_file_of(state: Path) -> Path:
    """Where the fleet's token lies: beside the state directory, never in it."""
    return state.absolute().parent / f"{CREDENTIAL}.token"


def enrol(fleet: Sequence[SimDevice], state_path: Path, keys_root: Path | None) -> str:
    """Put devices, homes, consents and one credential for all into a SIM directory; the token.

    Everything becomes durable together. Run again, it replaces what it put there before, and the
    credential gets a new token.

    Raises:
        Refusal: the directory is not there, is not marked SIM, or its keys are missing.
    """
    state = StateDir.open(state_path)
    if state.mark is not Mark.SIM:
        raise Refusal(
            f"{state.path} is not marked SIM, so no simulated device may enter it: invented rows "
            "would stand among real ones. Make a directory for them, with its configuration and keys: "
            "sekisho init lab --mark SIM --area CODE --yes, then --register lab/state."
        )
    here = place.find(state_path, keys_root, None)
    here.keys.households.make_all(device.household for device in fleet if device.household)
    with here.registry() as registry, registry.change():
        consents = registry.consents()
        for device in fleet:
            _enrol_one(registry, device, consents.get(device.device, frozenset()))
        _put_homes(registry, fleet)
        at = fleet[0].registered_at
        names = [device.device for device in fleet]
        return registry.put_credential(CREDENTIAL, names, origin="simulated", at=at)


def _enrol_one(registry: Registry, device: SimDevice, consented: frozenset[str]) -> None:
    registry.put_device(
        device.device,
        device.kind,
        device.owner,
        device.registered_at,
        device.household,
        attributes=device.attributes,
    )
    wanted = PURPOSES if device.consent else frozenset[str]()
    at = device.registered_at
    for purpose in sorted(wanted - consented):
        registry.record_consent(device.device, purpose, _GUARDIAN, _CONSENT_TEXT, at)
    for purpose in sorted(consented - wanted):
        registry.withdraw_consent(device.device, purpose, at)


def _put_homes(registry: Registry, fleet: Iterable[SimDevice]) -> None:
    done: set[str] = set()
    for device in fleet:
        if device.household is None or device.home is None or device.household in done:
            continue
        done.add(device.household)
        lat, lon = device.home
        registry.put_home(device.household, lat, lon, device.radius_m, at=device.registered_at)


def write_devices(fleet: Iterable[SimDevice], start: Instant, path: Path) -> None:
    """The fleet as JSON for any other system: devices, homes and consents, all fictional."""
    document = {
        "fictional": True,
        "start_us": start,
        "devices": [{"device": line.pop("roster"), **line} for line in map(roster_line, fleet)],
    }
    write_private(path, json.dumps(document, ensure_ascii=False, indent=1) + "\n")


def write_private(path: Path, text: str) -> None:
    """Write a file that only its owner may read; one that was there is replaced.

    Raises:
        Refusal: it cannot be written.
    """
    draft = path.with_name(f".{path.name}.new")
    try:
        draft.unlink(missing_ok=True)
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
        draft.replace(path)
    except OSError as error:
        raise Refusal(
            f"{path} cannot be written ({error.strerror}). Name a place where this user may write."
        ) from error
