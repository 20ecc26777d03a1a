"""Whether a data frame's MIC is right, and with what: its keys, the same reversed, or a counter beyond its sixteen bits."""

from dataclasses import replace
from typing import NamedTuple

from gateway.wire.lorawan.frames import Data
from gateway.wire.lorawan.join import SessionKeys
from gateway.wire.lorawan.secured import Heard, right_mic

RIGHT, REVERSED, WRONG = "right", "right with the key's bytes reversed", "wrong"
_ROLL = 1 << 16
_ROLLS = 256
_RATES, _CHANNELS = 16, 72


class Verdict(NamedTuple):
    """What is known of a MIC.

    Attributes:
        says: RIGHT, REVERSED or WRONG, or what else would make it right.
        keys: those that it is right with; None where none are.
        f_cnt: the counter that it is right with.
    """

    says: str
    keys: SessionKeys | None
    f_cnt: int


def judged(data: Data, keys: SessionKeys, f_cnt: int | None, conf_f_cnt: int = 0) -> Verdict:
    """Whether a data frame's MIC is right, with which counter, and whether with the keys reversed.

    Args:
        f_cnt: None tries roll-overs of the frame's own 16 bits.
    """
    tried = [f_cnt] if f_cnt is not None else [data.f_cnt + _ROLL * n for n in range(_ROLLS)]
    backwards = replace(keys.backwards, app_s=keys.app_s)
    for says, some in ((RIGHT, keys), (REVERSED, backwards)):
        for counter in tried:
            if _fits(data, some, counter, conf_f_cnt):
                return Verdict(says, some, counter)
    return Verdict(WRONG, None, data.f_cnt)


def _fits(data: Data, keys: SessionKeys, f_cnt: int, conf_f_cnt: int) -> bool:
    """Of an uplink of 1.1 the half that everybody can check decides first; then data rate and channel are searched."""
    right = right_mic(keys, data, f_cnt, Heard(conf_f_cnt))
    if right == data.mic:
        return True
    if not (keys.is_1_1 and data.up) or right[2:] != data.mic[2:]:
        return False
    return any(
        right_mic(keys, data, f_cnt, Heard(conf_f_cnt, dr, channel)) == data.mic
        for dr in range(_RATES)
        for channel in range(_CHANNELS)
    )
