"""Numbers in text: degrees with points and commas, exponents, NMEA, scaled integers, metres."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from math import radians, trunc
from struct import pack, unpack

from gateway.canary.needles import NEAR, Found

_DIGITS = re.compile(rb"[0-9]{1,40}")
_PREFIX = 5
"""Decimals that name a metre: agreeing in so many is enough beside a partner, whatever follows."""
_EXACT = 17  # digits that tell any float64
NEVER = 99
"""More decimals than there are: such a number counts beside its partner only."""


@dataclass(frozen=True, slots=True)
class Numeral:
    """One number as text. It agrees where it equals the canary, rounded or cut, in all its digits, or in five decimals.

    Attributes:
        stem: what stands before the decimals, with point or comma, and the first `least` of them, cut or rounded.
        whole: how much of the stem stands before the decimals, in bytes; 0 in scaled integers.
        digits: the decimals, cut, more than any text has.
        least: decimals that are needed, at least.
        enough: decimals from which on it counts alone.
        prefix: decimals that are enough though more follow that differ.
        behind: what must follow the digits.
    """

    stem: bytes
    key: int
    whole: int
    digits: bytes
    coat: str
    canary: str
    axis: int
    least: int = 3
    enough: int = 7
    prefix: int = _PREFIX
    behind: re.Pattern[bytes] | None = None

    def at(self, data: bytes, start: int) -> Found | None:
        """See `Needle`."""
        if not data.startswith(self.stem, start):
            return None
        match = _DIGITS.match(data, start + self.whole)
        assert match is not None, "the stem ends in a digit"
        if self.behind is not None and self.behind.match(data, match.end()) is None:
            return None
        agreed = self._agreed(match.group())
        runs_on = data[start - 1 : start].isdigit() and data[start - 1 : start] != b"0"
        if agreed < (max(self.least, self.prefix) if runs_on else self.least):
            return None
        alone = agreed >= self.enough and not runs_on
        end = start + self.whole + agreed  # what follows may be another number's
        return Found(start, end, self.coat, self.canary, self.axis, alone, NEAR)

    def _agreed(self, said: bytes) -> int:
        """Decimals in which `said` is the canary; 0 where it is another number."""
        agreed = 0
        for text in {said, said.rstrip(b"0")}:
            n = min(len(text), _EXACT)
            if n >= self.least and self._equal(text[:n]):
                agreed = max(agreed, n)
        common = next(
            (n for n, (a, b) in enumerate(zip(said, self.digits, strict=False)) if a != b),
            min(len(said), len(self.digits)),
        )
        return max(agreed, common) if common >= self.prefix else agreed

    def _equal(self, text: bytes) -> bool:
        """Cut or rounded to so many digits, it is the same; from the seventh on, one up or down is the same too."""
        n = len(text)
        over = int(text) - int(self.digits[:n])
        if over == 0:
            return True
        rounds_up = over == 1 and self.digits[n : n + 1] >= b"5"
        return rounds_up or (n >= 7 and abs(over) == 1)


def _spelled(value: Decimal, decimals: int) -> tuple[str, str]:
    whole, _, digits = f"{value:.{decimals}f}".partition(".")
    return whole, digits


def numerals(
    value: Decimal,
    coat: str,
    canary: str,
    axis: int,
    *,
    points: str = ".,",
    least: int = 3,
    enough: int = 7,
    prefix: int = _PREFIX,
    behind: re.Pattern[bytes] | None = None,
) -> Iterator[Numeral]:
    """A number, cut and rounded, with each of `points` between whole and decimals."""
    value = abs(value)
    whole, digits = _spelled(value, 25)
    digits = digits[:22]
    rounded_whole, rounded = _spelled(value, least)
    spellings = {(whole, digits[:least]), (rounded_whole, rounded)}
    for before, head in sorted(spellings):
        for point in points:
            name = f"{coat}, comma" if point == "," else coat
            stem = f"{before}{point}{head}".encode()
            yield Numeral(
                stem,
                max(0, len(stem) - 4),  # the first characters are those of every neighbour
                len(before) + 1,
                (digits if before == whole else rounded.ljust(22, "0")).encode(),
                name,
                canary,
                axis,
                least,
                enough,
                prefix,
                behind,
            )


def of_degrees(degrees: float, canary: str, axis: int, coat: str = "") -> Iterator[Numeral]:
    """Degrees as text, in every notation; `coat` names another datum, whose last digits are not known."""
    exact = Decimal(abs(degrees))
    enough = NEVER if coat else 7
    yield from numerals(exact, f"{coat}decimal text", canary, axis, enough=enough)
    yield from _nmea(exact, canary, axis, coat)
    for power in (4, 5, 6, 7, 8, 9):
        yield from _scaled(exact, power, canary, axis, coat)
    if coat:
        return
    yield from numerals(
        *(Decimal(radians(abs(degrees))), "radians, text", canary, axis),
        least=5,
        enough=NEVER,
        prefix=7,
    )
    yield from _exponents(exact, "decimal text, exponent", canary, axis, enough=8)
    single = Decimal(unpack(">f", pack(">f", abs(degrees)))[0])
    coat = "decimal text of a float32"
    yield from numerals(single, coat, canary, axis, enough=NEVER, prefix=NEVER)


def _exponents(
    value: Decimal, coat: str, canary: str, axis: int, *, enough: int
) -> Iterator[Numeral]:
    """One digit, a point, decimals, an exponent: 3.6695e+01."""
    power = value.adjusted()
    sign = "-" if power < 0 else r"\+?"
    behind = re.compile(rf"[eE]{sign}0?{abs(power)}(?![0-9])".encode())
    yield from numerals(
        value.scaleb(-power), coat, canary, axis, least=4, enough=enough, prefix=6, behind=behind
    )


def _nmea(value: Decimal, canary: str, axis: int, coat: str) -> Iterator[Numeral]:
    """Degrees and minutes in one number, ddmm.mmmm (NMEA 0183)."""
    whole = trunc(value)
    both = whole * 100 + (value - whole) * 60
    enough = NEVER if coat else 6
    yield from numerals(both, f"{coat}NMEA", canary, axis, points=".", enough=enough)


def _scaled(value: Decimal, power: int, canary: str, axis: int, coat: str) -> Iterator[Numeral]:
    """Degrees times a power of ten, in digits: 366953042."""
    scaled = value.scaleb(power)
    by_float = round(
        float(value) * 10**power
    )  # whoever multiplied floats may round a half the other way
    for number in sorted({trunc(scaled), round(scaled), by_float}):
        text = str(number).encode()
        if len(text) >= 5:
            n = len(text)
            name = f"{coat}integer text 1e{power}"
            yield Numeral(text, n - 4, 0, text, name, canary, axis, n, NEVER, n + 1)


def of_metres(metres: float, coat: str, canary: str, axis: int) -> Iterator[Numeral]:
    """Projected metres with decimals: six digits at least, and always beside the partner."""
    value = Decimal(abs(metres))
    least = max(1, 6 - len(str(trunc(value))))
    yield from numerals(
        value, f"{coat}, text", canary, axis, least=least, enough=NEVER, prefix=max(3, least)
    )


def of_offset(degrees: float, canary: str, axis: int) -> Iterator[Numeral]:
    """A difference of degrees, as 0.000123 and as 1.23e-04: three significant digits at least."""
    value = Decimal(abs(degrees))
    least = max(6, 2 - value.adjusted())
    coat = "offset from home, text"
    yield from numerals(value, coat, canary, axis, least=least, enough=NEVER, prefix=least + 2)
    yield from _exponents(value, f"{coat}, exponent", canary, axis, enough=NEVER)
