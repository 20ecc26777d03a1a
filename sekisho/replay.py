"""`sekisho replay`: what came once comes again, through the very pipeline that `sekisho run` uses."""

import math

from gateway.app.cores import forbid_cores
from gateway.model.errors import Refusal
from gateway.transports.replay.cassette import is_cassette
from sekisho import replay_options as given
from sekisho import replay_order, rerun, sending
from sekisho.destination import CaFile, PasswordFile, User
from sekisho.place import Config, Json, Keys, Quiet
from sekisho.replay_order import Order

_DEFAULTS = rerun.KIND, "utf-8-sig", "1h"
"""Of --as, --encoding and --step."""


def replay(
    *,
    file: given.File,
    format_: given.Format = None,
    home: given.Home = None,
    as_: given.As = rerun.KIND,
    columns: given.Columns = None,
    codec: given.Codec = None,
    device: given.Device = None,
    encoding: given.Encoding = "utf-8-sig",
    radius: given.Radius = None,
    to: given.To = None,
    topic: given.Topic = None,
    user: User = None,
    password_file: PasswordFile = None,
    follow: given.Follow = None,
    step: given.Step = "1h",
    cafile: CaFile = None,
    state: given.State = None,
    keys: Keys = None,
    config: Config = None,
    pace: given.Pace = "at-once",
    json_: Json = False,
    quiet: Quiet = False,
) -> None:
    """Send a recording through the gateway, and tell what it keeps, what it hides and what it refuses.

    Rows go to a state directory of their own, by the recording's own clock. Replayed again, every row
    is there already; a replay that was cut off goes on so.
    """
    forbid_cores()
    order = Order(file, state, keys, config, _pace(pace), json_, quiet)
    if is_cassette(file):
        more = (to, format_, home, radius, columns, codec, device, topic, user, password_file)
        if any(option is not None for option in (*more, follow, cafile)) or (
            (as_, encoding, step) != _DEFAULTS
        ):
            raise Refusal(
                f"{file} is a cassette: it says itself what it is, and goes into a directory of its own. "
                "Say sekisho replay FILE, with --state, --keys, --config and --pace at most.",
                exit_code=2,
            )
        replay_order.cassette(order)
    elif to is not None:
        login = sending.Login(user, password_file, cafile)
        replay_order.send(order, format_, topic, to, login, follow, step)
    elif format_ is not None:
        if home is not None or radius is not None:
            raise Refusal(
                "--home and --radius are for recorded ways; --format is not.", exit_code=2
            )
        replay_order.forwarded(order, format_)
    elif columns is not None or codec is not None:
        replay_order.table(order, as_, columns, codec, device, encoding)
    else:
        replay_order.way(order, as_, home, radius)


def _pace(text: str) -> float | None:
    if text == "at-once":
        return None
    try:
        speed = 1.0 if text == "recorded" else float(text)
    except ValueError:
        speed = math.nan
    if not 0 < speed < math.inf:
        raise Refusal("--pace takes at-once, recorded, or a factor such as 60.", exit_code=2)
    return speed
