"""`sekisho doctor`: the first thing that is wrong on the way from a device to its row, and the remedy."""

from typing import Annotated

import typer

from gateway.model.instant import SECOND
from sekisho import examination, radio_tables, screen
from sekisho.device_steps import Patient
from sekisho.house_steps import House
from sekisho.place import Config, Json, Keys, State
from sekisho.radio_steps import Air
from sekisho.uplink_steps import Trail

_AIR = "lorawan"
"""In the place of a device."""


def doctor(
    device: Annotated[
        str | None, typer.Argument(metavar="DEVICE", help="Follow this device's uplinks too.")
    ] = None,
    *,
    state: State = None,
    keys: Keys = None,
    config: Config = None,
    json: Json = False,
) -> None:
    """Find out why nothing arrives: look at one thing after another, up to the first fault.

    Without DEVICE: settings, directory, keys, disk, certificates, ports, the running gateway, its
    clock, and who was turned away last. With DEVICE also its registration, credential, consent and
    home, connection, topic, payload, clock and last row. With lorawan in the place of DEVICE: the
    forwarders, what they hear, refused devices, downlinks. Of people's devices it says outside SIM and
    REPLAY directories only that they were heard today. Exit code 1 if there is a fault.
    """
    air = device == _AIR
    house = House(state, keys, config, None if air else device)
    steps = house.steps()
    radio = Air(house)
    if air:
        steps += radio.steps()
    elif device is not None:
        patient = Patient(house, device)
        steps += [*patient.steps(), *Trail(house, patient).steps()]
    found = examination.examine(steps)
    if json:
        knocks = house.said.get("knocks", []) if device is None else []
        heard = {"heard": radio.census} if air else {}
        screen.document({**examination.as_json(found), "turned_away": knocks, **heard})
    else:
        examination.show(found)
        if air and radio.census is not None:
            radio_tables.show(radio.census, people=radio.people)
        if device is None and found.fault is None:
            _turned_away(house)
    raise typer.Exit(1 if found.fault else 0)


def _turned_away(house: House) -> None:
    """The last strangers, out of the gateway's memory: they are written down nowhere."""
    knocks = house.said.get("knocks", [])
    if not knocks:
        return
    last = "one" if len(knocks) == 1 else len(knocks)
    print(f"\n the last {last} turned away (in memory only):")
    for knock in reversed(knocks):
        ago = max(0, house.clock.now() - knock["at"]) // SECOND
        where = f"  on {knock['topic']}" if knock["topic"] else ""
        print(f"   {ago:>6} s ago  {knock['user'] or 'no user name'}: {knock['why']}{where}")
