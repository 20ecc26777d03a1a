"""Which options of `sekisho simulate` belong together: what would be ignored is refused."""

import typer

from gateway.model.errors import Refusal

_LORAWAN = {
    "forwarders",
    "region",
    "confirmed",
    "switched_on",
    "uplinks",
    "over",
    "client",
    "settings",
    "battery",
    "adr_ack_limit",
}
"""These mean nothing without --lorawan."""

_TOWN = "of the town, whose scenario is another"
_REAL_TIME = "nodes live in real time"
_FAULTS = "what goes wrong on the air is asked for by --faults"
_NODES = "how many nodes there are stands behind --lorawan, and their kinds are five of the city's"
_ONE_TOWN = "nodes stand in the small town alone"
_NO_FILE = (
    "nodes and their keys stand in no file, from which they could enter a directory of real devices; "
    "--register puts them into one marked SIM (sekisho init lab --mark SIM --area CODE --yes)"
)
_MQTT = "nodes speak LoRaWAN, not MQTT"
_WHY = {
    **dict.fromkeys(("--pace", "--start", "--step"), _REAL_TIME),
    **dict.fromkeys(("--children", "--devices", "--extra", "--kinds"), _NODES),
    **dict.fromkeys(("--town", "--ground-out"), _ONE_TOWN),
    **dict.fromkeys(("--qos", "--connections"), _MQTT),
    "--harm": _FAULTS,
    "--devices-out": _NO_FILE,
}
"""Options of the town that mean nothing with --lorawan, and why."""

_BOTH = {
    *("seed", "to", "duration", "report_every", "faults", "ledger", "register", "follow"),
    *("user", "password_file", "cafile", "keys", "as_json", "quiet", "lorawan"),
}


def require_fitting(ctx: typer.Context, *, lorawan: bool) -> None:
    """Refuse an option that says something which the asked simulation does not know.

    Args:
        lorawan: nodes by LoRaWAN, not the town.

    Raises:
        Refusal: names the options.
    """
    said = [
        param
        for param in ctx.command.params
        if (source := ctx.get_parameter_source(param.name or "")) and source.name == "COMMANDLINE"
    ]
    known = _BOTH | _LORAWAN
    if lorawan:
        strange = [one.opts[0] for one in said if one.name not in known]
    else:
        strange = [one.opts[0] for one in said if one.name in _LORAWAN]
    if not strange:
        return
    if lorawan:
        said_why = "; ".join(f"{option}: {_WHY.get(option, _TOWN)}" for option in strange)
        raise Refusal(
            f"With --lorawan means nothing: {said_why}. Leave it out; sekisho simulate --help names what goes with "
            "--lorawan.",
            2,
        )
    raise Refusal(f"{', '.join(strange)}: belongs to --lorawan N, which is not asked for.", 2)
