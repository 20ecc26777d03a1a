"""`sekisho restore`: a state directory made of a backup."""

from pathlib import Path
from typing import Annotated

import typer

from gateway.registry.registry import Registry
from gateway.registry.taken_back import told
from gateway.stores import backup
from sekisho import place, screen
from sekisho.place import Config, Json, Keys, Quiet, State


def restore(
    folder: Annotated[
        Path,
        typer.Argument(metavar="DIR", show_default=False, help="What sekisho backup made."),
    ],
    *,
    state: State = None,
    keys: Keys = None,
    config: Config = None,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Make a state directory of a backup, in a place that is empty.

    Every file is read and compared with the backup's list first. The keys must
    be there, or come by sekisho keys import. What was erased since the backup
    stays erased: its keys are gone. What was taken back since (consents, guardians'
    devices, homes, tokens, rights) is taken back again, as far as these keys know of
    it. Files whose time is over go at the first start.

    Stop the gateway that runs on the old directory first, and for good: two
    that hand out the same counters harm every LoRaWAN device.
    """
    settings = place.settings_of(config)
    target = place.state_path(state, config, settings)
    manifest = backup.check(folder)
    directory = backup.restore(folder, target)
    ring = place.keys_root(directory.path, directory.id, keys, settings) / directory.id
    here = (ring / "root.key").exists()
    again: dict[str, int] | None = None
    if here:
        opened = place.ring_of(directory, keys, settings)
        with Registry.open(directory, opened) as registry:
            again = dict(registry.taken_back.done)
    if json:
        screen.document(
            {
                "state": str(directory.path),
                "taken_at": manifest["taken_at"],
                "files": len(manifest["files"]),
                "keys": str(ring) if here else None,
                "taken_back_again": again,
            }
        )
    elif not quiet:
        print(
            f"{directory.path}  {screen.count(len(manifest['files']), 'file')}, as they were at {manifest['taken_at']}."
        )
        print(
            f"Its keys are in {ring}."
            if here
            else f"Its keys are not here: sekisho keys import FILE --state {directory.path}."
        )
        if again:
            print(told(again))
        print(
            "LoRaWAN devices that join do so again by themselves; for others see sekisho lorawan resume."
        )
