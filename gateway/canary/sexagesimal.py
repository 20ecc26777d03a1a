"""Degrees, minutes and seconds, whatever stands between them: 36°41′43.1″, 36-41-43.1, 36度41分43秒, +364143.1."""

import re
from collections.abc import Iterator
from decimal import Decimal
from math import trunc

from gateway.canary.needles import NEAR, Found

_BETWEEN = rb"[^0-9]{1,4}"
_ENOUGH = 4
"""Decimals of a second that name three millimetres: such a value counts alone."""


class Sexagesimal:
    """The degrees of all canaries, and what stands behind them in a text."""

    def __init__(self) -> None:
        self._known: dict[tuple[int, int], list[tuple[str, int, Decimal]]] = {}
        self._pattern: re.Pattern[bytes] | None = None

    def add(self, degrees: float, canary: str, axis: int) -> None:
        """Look for one half of a position, too."""
        value = abs(Decimal(degrees))
        whole = trunc(value)
        minutes = (value - whole) * 60
        seconds = (minutes - trunc(minutes)) * 60
        self._known.setdefault((whole, trunc(minutes)), []).append((canary, axis, seconds))
        known = b"|".join(b"%d" % whole for whole in sorted({whole for whole, _ in self._known}))
        self._pattern = re.compile(
            b"(%b)(?:%b([0-5]?[0-9])%b([0-5]?[0-9])|([0-5][0-9])([0-5][0-9]))(?:[.,]([0-9]{1,9}))?"
            % (known, _BETWEEN, _BETWEEN)
        )

    def find(self, data: bytes) -> Iterator[Found]:
        """Every half in `data`."""
        for match in self._pattern.finditer(data) if self._pattern else ():
            if data[max(0, match.start() - 1) : match.start()].isdigit():
                continue
            whole, minutes, seconds, close_minutes, close_seconds, decimals = match.groups()
            known = self._known.get((int(whole), int(minutes or close_minutes)), ())
            said = (seconds or close_seconds) + b"." + (decimals or b"")
            for canary, axis, exact in known:
                n = len(decimals or b"")
                if _same(said.decode(), n, exact):
                    alone = n >= _ENOUGH
                    yield Found(
                        match.start(),
                        match.end(),
                        "degrees, minutes, seconds",
                        canary,
                        axis,
                        alone,
                        NEAR,
                    )


def _same(said: str, decimals: int, exact: Decimal) -> bool:
    step = Decimal(1).scaleb(-decimals)
    value = Decimal(said)
    return value in {exact.quantize(step, "ROUND_DOWN"), exact.quantize(step)}
