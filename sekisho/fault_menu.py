"""`--faults NAME=RATE,…`: the simulator's menu of faults on the command line."""

from collections.abc import Collection

from gateway.model.errors import Refusal
from gateway.registry.words import nearest
from simulators.faults import MENU
from simulators.lorawan.air_faults import MENU as AIR_MENU

_ALL = "all"

HELP = (
    "Faults on purpose, each with the share of uplinks at which it happens or begins, as "
    "loss=0.01,delay=0.02; all=RATE for every one. "
    + "; ".join(f"{name}: {what}" for name, what in MENU.items())
    + "."
)

AIR_HELP = "; ".join(f"{name}: {what}" for name, what in AIR_MENU.items()) + "."


def read(text: str, menu: Collection[str] = MENU) -> dict[str, float]:
    """Fault → rate.

    Args:
        menu: the faults that there are.

    Raises:
        Refusal: a name that is not on the menu, or no rate between 0 and 1.
    """
    found: dict[str, float] = {}
    for pair in text.split(","):
        name, equals, given = (part.strip() for part in pair.partition("="))
        if name not in (*menu, _ALL):
            hint = nearest(name, [*menu, _ALL], unless=f" The menu: {', '.join(menu)}.")
            raise Refusal(f'--faults: there is no fault "{name}".{hint}', 2)
        try:
            rate = float(given) if equals else -1.0
        except ValueError:
            rate = -1.0
        if not 0 <= rate <= 1:
            raise Refusal(f"--faults {pair}: write a rate from 0 to 1, as {name}=0.01.", 2)
        found |= dict.fromkeys(menu if name == _ALL else [name], rate)
    return found


def read_air(text: str) -> dict[str, float]:
    """The same of what goes wrong at forwarders and behind them."""
    return read(text, AIR_MENU)
