"""Simulated nodes and forwarders in the registry of a SIM directory."""

import os
from collections.abc import Sequence
from pathlib import Path

from gateway.registry.radio_rows import Secrets
from gateway.wire.lorawan.identifiers import Eui
from sekisho import enrolment, place
from sekisho.following import follow
from simulators.lorawan.meters import Member

CREDENTIAL = "forwarders"
"""Of all simulated stations; it speaks for no device."""


def token_file_of(state: Path) -> Path:
    """Where the stations' token lies: beside the state directory, never in it."""
    return state.absolute().parent / f"{CREDENTIAL}.token"


def enrol(people: Sequence[Member], state: Path, keys: Path | None, *, stations: bool) -> dict[Eui, int]:  # fmt: skip
    """Put the nodes and their root keys there, and let a gateway that runs there take them in; the DevNonces that they have used.

    Args:
        stations: also a credential for forwarders, with its token in a file; it keeps the token that it has.

    Raises:
        Refusal: the directory is not there, is not marked SIM, or its keys are missing.
    """
    enrolment.enrol([one.device for one in people], state, keys)
    here = place.find(state, keys, None)
    file = token_file_of(state)
    with here.registry() as registry, registry.change():
        for one in people:
            who = one.identity
            secrets = Secrets(
                join_eui=who.join_eui,
                app_key=who.app_key,
                nwk_key=who.nwk_key,
                counting=True,
            )
            registry.radio.put(one.device.device, secrets, one.device.registered_at)
        if stations:
            token = file.read_text().strip() if file.is_file() else None
            since = people[0].device.registered_at
            token = registry.put_credential(CREDENTIAL, [], "simulated", token, at=since)
            _write(file, token)
    follow(here.state)
    return nonces(state, keys)


def nonces(state: Path, keys: Path | None) -> dict[Eui, int]:
    """DevEUI → the last DevNonce that was used, of every device that joins there: nodes go on counting from it.

    Raises:
        Refusal: the directory is not there, or its keys are missing.
    """
    with place.find(state, keys, None).registry() as registry:
        roots = registry.radio.read().roots
    return {eui: max(root.nonces, default=0) for eui, root in roots.items()}


def _write(file: Path, token: str) -> None:
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as out:
        out.write(token + "\n")
