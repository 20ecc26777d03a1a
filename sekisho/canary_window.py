"""Controls of window mode: a place in each circle that is no canary, in each form."""

import struct
from collections.abc import Iterator

from gateway.canary.window import Circle
from sekisho.canary_forms import Control, scaled

_DEGREE_M = 111_200.0


def window_forms(circle: Circle) -> Iterator[Control]:
    """A place a fifth of the radius north of the centre."""
    place = circle.lat + circle.radius_m / 5 / _DEGREE_M, circle.lon
    coat = "decimal text, in the circle"
    yield Control(coat, "{:.6f} {:.6f}".format(*place).encode(), coat)
    yield Control(f"{coat}, longitude first", "{1:.6f},{0:.6f}".format(*place).encode(), coat)
    for order, sign in (("BE", ">"), ("LE", "<")):
        for name, letter in (("float64", "d"), ("float32", "f")):
            coat = f"{name} {order}, in the circle"
            yield Control(coat, struct.pack(f"{sign}2{letter}", *place), coat)
        for power in (5, 6, 7):
            coat = f"integer 1e{power} {order}, in the circle"
            numbers = scaled(place, power)
            if numbers:
                yield Control(coat, struct.pack(f"{sign}2i", *numbers), coat)
