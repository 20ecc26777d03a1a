"""A capture of MQTT is a recording like any other: what a subscriber would have written down is replayed.

The captures were taken by tcpdump beside a Mosquitto 2 on both loopback addresses, MTU 1500: publishers of MQTT 3.1.1
and 5 at QoS 0, 1 and 2 with a topic alias, two subscribers; `subscriber.txt` is what `mosquitto_sub -v` printed.
"""

import gzip
import struct
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from gateway.model.errors import Refusal
from gateway.transports.replay.capture import Capture, lines_of
from gateway.transports.replay.file import Lines
from gateway.wire.capture.frames import segment
from sekisho.replay import replay
from tests.unit.test_replay_forwarded import config, replayed, rows

FOLDER = Path(__file__).with_name("captures")
HEARD = (FOLDER / "subscriber.txt").read_bytes().splitlines()
_FILE = struct.Struct("<IHHiIII")
_FRAME = struct.Struct("<IIII")

__all__ = ["config"]


def unpacked(tmp_path: Path, name: str) -> Path:
    file = tmp_path / f"{name}.pcap"
    file.write_bytes(gzip.decompress((FOLDER / f"{name}.pcap.gz").read_bytes()))
    return file


def frames(file: Path) -> list[tuple[int, int, bytes]]:
    """(s, µs, frame) of a capture of tcpdump's."""
    data, at, found = file.read_bytes(), _FILE.size, []
    while at < len(data):
        seconds, micros, length, _ = _FRAME.unpack_from(data, at)
        at += _FRAME.size + length
        found.append((seconds, micros, data[at - length : at]))
    return found


def write(file: Path, kept: Iterable[tuple[int, int, bytes]]) -> Path:
    """The same on Ethernet."""
    text = _FILE.pack(0xA1B2C3D4, 2, 4, 0, 0, 262_144, 1)
    for seconds, micros, frame in kept:
        text += _FRAME.pack(seconds, micros, len(frame), len(frame)) + frame
    file.write_bytes(text)
    return file


def said(file: Path) -> list[bytes]:
    """Topic and payload of each line."""
    return [line.partition(b" ")[2] for line in lines_of(file)]


@pytest.mark.parametrize("name", ["ethernet", "cooked", "cooked2"])
def test_a_capture_says_what_a_subscriber_heard_each_message_once(
    tmp_path: Path, name: str
) -> None:
    """Of Ethernet and both of Linux' cooked forms; from IPv4 and IPv6, and a message in many segments."""
    assert said(unpacked(tmp_path, name)) == HEARD


def test_a_capture_stores_the_rows_that_a_log_does(
    capsys: Any, config: Path, tmp_path: Path
) -> None:
    found = replayed(capsys, config, unpacked(tmp_path, "ethernet"))
    assert (found["stored"], found["events"]) == (7, {"status": 1})
    by_capture = rows(config, "observed_at, temperature_c, clock")
    again = replayed(capsys, config, FOLDER / "subscriber.txt")
    assert (again["stored"], again["duplicate"]) == (0, 7)
    assert rows(config, "observed_at, temperature_c, clock") == by_capture


def test_a_capture_in_pcapng_says_the_same(tmp_path: Path) -> None:
    """Section, interface and packet blocks, as Wireshark writes them (IETF draft pcapng, §4)."""

    def block(kind: int, body: bytes) -> bytes:
        body += bytes(-len(body) % 4)
        length = len(body) + 12
        return struct.pack("<II", kind, length) + body + struct.pack("<I", length)

    text = block(0x0A0D0D0A, struct.pack("<IHHq", 0x1A2B3C4D, 1, 0, -1))
    text += block(1, struct.pack("<HHI", 1, 0, 262_144))
    for seconds, micros, frame in frames(unpacked(tmp_path, "ethernet")):
        at = seconds * 1_000_000 + micros
        head = struct.pack("<IIIII", 0, at >> 32, at & 0xFFFFFFFF, len(frame), len(frame))
        text += block(6, head + frame)
    file = tmp_path / "city.pcapng"
    file.write_bytes(text)
    assert said(file) == HEARD


def test_segments_twice_and_out_of_order_make_no_difference(tmp_path: Path) -> None:
    """Every frame is there again six frames later, and every second pair of frames is the wrong way round."""
    found = frames(unpacked(tmp_path, "ethernet"))
    harmed = []
    for n, frame in enumerate(found):
        harmed.append(frame)
        if n >= 6:
            harmed.append(found[n - 6])
    for n in range(40, len(harmed) - 1, 4):
        harmed[n], harmed[n + 1] = harmed[n + 1], harmed[n]
    assert sorted(said(write(tmp_path / "harmed.pcap", harmed))) == sorted(HEARD)


@pytest.mark.parametrize("end", ["publishers", "subscribers"])
def test_a_capture_that_begins_in_the_middle_says_what_followed(tmp_path: Path, end: str) -> None:
    """A server's connection stands for weeks: neither its CONNECT nor its version was captured."""
    kept = []
    for frame in frames(unpacked(tmp_path, "ethernet")):
        part = segment(1, frame[2])
        assert part is not None
        from_client = part.source[1] > part.target[1]
        if part.data and part.data[0] >> 4 == 3 and from_client is (end == "publishers"):
            kept.append(frame)
    heard = [line for line in HEARD if len(line) < 1000]
    if end == "publishers":
        assert said(write(tmp_path / "middle.pcap", kept))[: len(heard)] == heard
    else:
        assert set(said(write(tmp_path / "middle.pcap", kept))) >= {
            line for line in heard if b"status" not in line
        }


def test_a_frame_that_was_not_captured_costs_no_other_message(tmp_path: Path) -> None:
    """Whichever it is; and what a publisher said can still be had from what the broker passed on."""
    found = frames(unpacked(tmp_path, "ethernet"))
    for missing in range(len(found)):
        kept = found[:missing] + found[missing + 1 :]
        heard = said(write(tmp_path / "gap.pcap", kept))
        assert sorted(set(heard)) == sorted(HEARD), missing


def told(file: Path) -> str:
    with pytest.raises(Refusal) as refused:
        list(lines_of(file))
    assert refused.value.exit_code == 2
    return str(refused.value)


def test_what_is_encrypted_is_refused_with_the_way_out(tmp_path: Path) -> None:
    """Each byte that was said looks like a record of TLS."""
    kept = []
    for seconds, micros, frame in frames(unpacked(tmp_path, "ethernet")):
        part = segment(1, frame)
        assert part is not None
        hidden = (b"\x17\x03\x03" * 3000)[: len(part.data)]
        kept.append((seconds, micros, frame[: len(frame) - len(part.data)] + hidden))
    assert "encrypted" in told(write(tmp_path / "tls.pcap", kept))


def of_tls() -> bytes:
    """A frame of a connection in which a record of TLS was said: Ethernet, IPv4, TCP."""
    tcp = struct.pack(">HHIIBBHHH", 40_001, 8883, 1, 1, 5 << 4, 0x10, 512, 0, 0) + b"\x17\x03\x03"
    ip = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 20 + len(tcp), 0, 0, 64, 6, 0, bytes(4), bytes(4))
    return bytes(12) + b"\x08\x00" + ip + tcp


def test_connections_that_are_encrypted_are_counted_beside_those_that_are_read(
    capsys: Any, config: Path, tmp_path: Path
) -> None:
    found = frames(unpacked(tmp_path, "ethernet"))
    file = write(tmp_path / "both.pcap", [(*found[0][:2], of_tls()), *found])
    replay(file=file, format_="chirpstack_v4", config=config, state=tmp_path / "r" / "state")
    said = capsys.readouterr()
    assert "8 records = 7 uplinks + 1 status" in said.out
    assert "1 connection in" in said.err
    assert "TLS" in said.err


def test_a_capture_without_mqtt_is_refused_with_what_to_capture(tmp_path: Path) -> None:
    assert "port 1883" in told(write(tmp_path / "none.pcap", [(0, 0, bytes(60))]))


def test_a_capture_that_is_cut_off_is_read_to_that_place_and_then_named(tmp_path: Path) -> None:
    file = unpacked(tmp_path, "ethernet")
    file.write_bytes(file.read_bytes()[:-20])
    lines = iter(lines_of(file))
    assert [next(lines).partition(b" ")[2] for _ in HEARD] == HEARD
    with pytest.raises(Refusal, match="cannot be read as a capture"):
        next(lines)


def test_a_packed_capture_and_a_log_are_told_apart(tmp_path: Path) -> None:
    """By how they begin, whatever they are called."""
    assert isinstance(lines_of(unpacked(tmp_path, "cooked")), Capture)
    assert isinstance(lines_of(FOLDER / "subscriber.txt"), Lines)
    assert "gunzip" in told(FOLDER / "cooked.pcap.gz")


def test_without_its_reader_a_capture_is_refused_with_the_way_to_get_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pcapy", None)
    assert "pip install 'sekisho[pcap]'" in told(unpacked(tmp_path, "cooked"))
