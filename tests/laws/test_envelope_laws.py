"""Whatever bytes come for an envelope: it opens, or says that it cannot."""

import json
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.model.errors import PayloadError
from gateway.wire.envelopes.formats import FORMATS

SAMPLES = [
    json.loads(path.read_text())
    for path in sorted((Path(__file__).parents[1] / "vectors").glob("*.json"))
] + [
    {"topic": "", "payload": {"devEUI": "d1d1e80000000033", "fCnt": 1, "data": "50", "objectJSON": "{}",
     "devAddr": "AAAAAA==", "rxInfo": [{"gatewayID": "17", "rssi": -118, "loRaSNR": -1, "time": "x"}]}},
    {"topic": "", "payload": {"DevEUI_uplink": {"DevEUI": "d1d1e80000000033", "FPort": "1", "FCntUp": "2",
     "payload_hex": "00", "Time": "x", "Lrrs": {"Lrr": [{"Lrrid": "1", "LrrRSSI": "-1"}]}}}},
]  # fmt: skip
OPENERS = {name: format_.opener() for name, format_ in FORMATS.items()}

_WORDS = st.sampled_from(
    ["", "=", "AAAA", "00", "9" * 400, "-1", "1e999", "nan", "0001-01-01T00:00:00+23:59", "🦌"]
) | st.text(max_size=20)
_NUMBERS = st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.just(10**400)
_VALUES = st.recursive(
    st.none() | st.booleans() | _NUMBERS | _WORDS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)  # fmt: skip


@st.composite
def harmed(draw: st.DrawFn) -> tuple[str, bytes]:
    """A sample with some of its members put out of joint."""
    sample = draw(st.sampled_from(SAMPLES))
    payload = json.loads(json.dumps(sample["payload"]))
    for _ in range(draw(st.integers(1, 3))):
        _harm(draw, payload)
    return draw(st.sampled_from([sample["topic"], ""])), json.dumps(payload).encode()


def _harm(draw: st.DrawFn, outer: Any) -> None:
    """Change, or take away, one member somewhere inside."""
    while True:
        keys = list(outer) if isinstance(outer, dict) else list(range(len(outer)))
        if not keys:
            return
        key = draw(st.sampled_from(keys))
        inner = outer[key]
        if isinstance(inner, (dict, list)) and inner and draw(st.booleans()):
            outer = inner
            continue
        if draw(st.booleans()):
            outer[key] = draw(_VALUES)
        else:
            del outer[key]
        return


def open_all(topic: str, payload: bytes) -> None:
    """With every opener; what opens can be used."""
    for opener in OPENERS.values():
        with suppress(PayloadError):
            enclosed = opener(topic, payload)
            assert isinstance(enclosed.heard(), tuple)
            if enclosed.uplink is not None:
                assert isinstance(enclosed.uplink.body, bytes)


@given(harmed())
def test_no_harmed_document_raises_anything_but_a_payload_error(given: tuple[str, bytes]) -> None:
    open_all(*given)


@given(st.text(max_size=40), st.binary(max_size=200))
def test_no_bytes_raise_anything_but_a_payload_error(topic: str, payload: bytes) -> None:
    open_all(topic, payload)
    open_all("application/1/device/2/event/up", payload)


@pytest.mark.parametrize("around", ["%s", '{"object": %s}', '{"rxInfo": %s}'])
def test_no_depth_is_too_deep(around: str) -> None:
    """Brackets without end would otherwise end the gateway."""
    open_all("", (around % ("[" * 100_000)).encode())
    open_all("", (around % ("[" * 100_000 + "]" * 100_000)).encode())
