"""`sekisho devices import-keys`: the way in for LoRaWAN keys."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from gateway.model.errors import Refusal
from gateway.registry.home_import import read_private
from gateway.registry.radio_import import read_keys
from gateway.sessions.file import SessionFile
from gateway.statedir import StateDir
from sekisho import place, screen
from sekisho.following import follow
from sekisho.place import Config, Json, Keys, Quiet, State


def import_keys(
    file: Annotated[
        str,
        typer.Argument(
            metavar="FILE|-", help="A file that only its owner may read; - is standard input."
        ),
    ] = "-",
    *,
    state: State = None,
    keys: Keys = None,
    config: Config = None,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Seal LoRaWAN keys into the registry: CSV, or what ChirpStack or The Things Stack exports (JSON).

    CSV: dev_eui,version,join_eui,app_key of devices that join (1.1: nwk_key too); dev_addr,nwk_s_key,app_s_key,f_cnt_up of
    those that never do (ABP), where f_cnt_up is the last uplink that anybody may have heard, or none; without it they are held until sekisho lorawan
    resume says it. The devices must be registered with their dev_eui. No command shows the keys again;
    delete the file afterwards. Another root key begins a device's history of joins anew, another JoinEUI or version does not.
    """
    here = place.find(state, keys, config)
    if file == "-" and sys.stdin.isatty():
        screen.warn("Reading keys from standard input (Ctrl-D ends).")
    found = read_keys(sys.stdin.read() if file == "-" else read_private(Path(file)))
    with here.registry() as registry:
        known = {str(row.attributes.get("dev_eui")): row.device for row in registry.devices()}
        strangers = [str(eui) for eui in found if str(eui) not in known]
        if strangers:
            raise Refusal(
                f"No device has the DevEUI {', '.join(strangers[:5])}"
                + (f" and {len(strangers) - 5} more" if strangers[5:] else "")
                + ". Register it first: sekisho devices add ID --kind KIND --attribute "
                f"dev_eui={strangers[0]}. Nothing was imported."
            )
        if registry.radio.file is None:
            registry.radio.stand_in(_counters_file(here.state))
        with registry.change():
            for eui, secrets in found.items():
                registry.radio.put(known[str(eui)], secrets, here.clock.now())
        held = sorted({known[str(eui)] for eui in found} & set(registry.radio.held()))
    followed = follow(here.state)
    if json:
        screen.document({"imported": len(found), "held": held})
    elif not quiet:
        print(f"Sealed the keys of {screen.count(len(found), 'device')}. {followed.sentence}")
    if held and not json:
        screen.warn(
            f"Nobody knows how far {', '.join(held[:5])}"
            + (
                f" and {len(held) - 5} more have"
                if held[5:]
                else " has"
                if len(held) == 1
                else " have"
            )
            + " counted, so nothing of it is believed until you say so: sekisho lorawan resume DEVICE --up N "
            "(docs/pilot-lora.md)."
        )


def _counters_file(state: StateDir) -> bytes:
    """Where the counters will stand: known before the first frame, so that a backup of now knows it too."""
    file = SessionFile(state.sessions_db)
    try:
        return file.id
    finally:
        file.close()
