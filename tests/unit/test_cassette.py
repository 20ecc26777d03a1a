"""Cassettes: what a recording writes of each uplink, and what of it comes back; nothing a stranger may not see."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC
from itertools import pairwise
from typing import Any

import pytest

from gateway.devices.catalog import catalog, declare
from gateway.devices.codecs import declare_codecs, forwarded_route
from gateway.devices.declared import Declaration, build
from gateway.devices.decode import json_decoder
from gateway.devices.kind import DeviceKind, Field, Sensitivity
from gateway.devices.mapping import Mapped, Source
from gateway.devices.packing import Slot
from gateway.devices.shelf import shelf
from gateway.devices.tables import table_columns
from gateway.model.device import Device
from gateway.model.errors import PayloadError, Refusal
from gateway.model.forwarded import Forwarded
from gateway.model.identity import DeviceId
from gateway.model.instant import DAY, MINUTE, SECOND, Instant, to_rfc3339
from gateway.model.observation import Observation
from gateway.model.uplink import Payload, Route, Uplinks
from gateway.pipeline.process import Process
from gateway.pipeline.tape import Tape
from gateway.privacy.fiction import COLUMNS, SIDE_DEG, Aliases, Fiction, observed
from gateway.privacy.mask import Mask
from gateway.transports.replay.cassette import Cassette, Routes
from gateway.wire import cassette
from gateway.wire.cassette import EPOCH
from tests.fakes.readings import KINDS, METRE_NORTH, NOON, Keys, gauge, policy
from tests.fakes.store import child_row
from tests.fakes.uplinks import CAMERA, SORTS, route, uplink

KEY = bytes(range(32))
BEGIN = cassette.written(cassette.Begin(version=1, sekisho="0.1.0"))
THINGS = [kind for kind in KINDS.values() if not kind.personal]

Item = tuple[Route, Payload]


def masking() -> Mask:
    """A mask for every kind that is declared just now."""
    return Mask(policy(UTC), Keys(), {name: kind.row for name, kind in catalog().items()})


def taped(
    items: Iterable[Item],
    people: bool = True,
    refused: bool = False,
    wanted: str = "",
    at: Instant = NOON + MINUTE,
) -> list[bytes]:
    """The lines of a recording that began at noon, of uplinks that came a minute later."""
    lines: list[bytes] = []

    def put(line: bytes) -> bool:
        lines.append(line)
        return True

    process = Process(masking(), UTC)
    tape = process.tape = Tape(
        *(put, KEY, NOON),
        people=people,
        refused=refused,
        wanted=lambda device: wanted in device.device,
    )
    process.decide([Uplinks("own", at, list(items), lambda _refused: None)])
    return [BEGIN, *lines, tape.end()]


def rows(items: Iterable[Item], at: int) -> list[Observation]:
    """What the pipeline makes of uplinks that came at `at`."""
    chunk = Uplinks("own", at, list(items), lambda _refused: None)
    outcome = Process(masking(), UTC).decide([chunk]).outcome
    return [row for table in outcome.rows.values() for row in table.observations]


def handed_over(lines: Sequence[bytes]) -> list[Item]:
    """A cassette's uplinks, as a door would bring them."""
    read = Cassette("a cassette", lines)
    routes = {
        name: Routes(
            Device(
                DeviceId(name),
                thing.kind,
                "",
                EPOCH + thing.registered,
                attributes=thing.attributes,
            )
        )
        for name, thing in read.things.items()
    }
    return [item for _at, item in read.records(routes.__getitem__) if item is not None]  # type: ignore[misc]


def played(lines: Sequence[bytes]) -> list[Observation]:
    """What the pipeline makes of a cassette's uplinks."""
    return rows(handed_over(lines), EPOCH + MINUTE)


def plain(row: Observation, begun: int) -> tuple[Any, ...]:
    """A city row without its device and digest, its times from the beginning."""
    at, _device, counter, _digest, item, received_at, *rest = row.row
    return (row.kind, at - begun, counter, item, received_at - begun, *rest)


def said_by_examples(kind: DeviceKind) -> list[Item]:
    """Every accepted example of a kind in both of its forms, at its own second; and by a network server."""
    items: list[Item] = []
    for number, example in enumerate(e for e in kind.examples if not e.rejected):
        device = Device(DeviceId("thing-1"), kind.name, "", 0, attributes=example.attributes)
        if example.is_json:
            head = (
                f'{{"t":"2026-05-12T03:00:{number:02}Z","seq":{number},"by":"36.69531 137.21131",'
            )
            items.append((route(device), head.encode() + example.payload.lstrip()[1:].encode()))
        else:
            data = bytes.fromhex(example.payload)
            forwarded = forwarded_route(device)
            assert forwarded is not None
            items.append(
                (forwarded, Forwarded(kind.f_port, number, "00112233", data, None, NOON + SECOND))
            )
            front = bytes([1]) + (NOON // SECOND + number).to_bytes(4, "big")
            items.append((route(device, binary=True), front + number.to_bytes(4, "big") + data))
    return items


@pytest.mark.parametrize("kind", [pytest.param(kind, id=kind.name) for kind in THINGS])
def test_of_a_thing_of_the_city_the_same_rows_come_back(kind: DeviceKind) -> None:
    """Every example of every kind, in each of the ways it can come: the row of the replay is the row of then,
    but for the device's name, the digest, the time of the beginning, and free words, which are numbered."""
    free = {"model", "image"}
    names = [column.name for column in table_columns(kind)]
    gone = {names.index(name) + 1 - 2 for name in free & set(names)}  # without device and digest
    for item in said_by_examples(kind):
        lines = taped([item])
        (before,), (after,) = rows([item], NOON + MINUTE), played(lines)
        ours, theirs = plain(before, NOON), plain(after, EPOCH)
        assert [v for n, v in enumerate(ours) if n not in gone] == [
            v for n, v in enumerate(theirs) if n not in gone
        ]
        assert b"36.69531" not in b"".join(lines), "a member that the kind does not name"
        assert b"thing-1" not in b"".join(lines)


PROOFS = [
    pytest.param(name, proof, id=f"{name}: {number}")
    for name, product in shelf().items()
    if not KINDS[product.kinds[0]].personal
    for number, proof in enumerate(product.proofs)
    if not proof.rejected
]


@pytest.mark.parametrize(("name", "proof"), PROOFS)
def test_a_makers_bytes_are_kept_and_decoded_again(name: str, proof: Any) -> None:
    """Of a product the maker's own bytes are recorded, so that the codec can be looked at; where they carry
    a clock, what they say instead. The same row comes back."""
    product = shelf()[name]
    kind = product.kinds[0]
    attributes: dict[str, str | float | bool] = {
        "codec": name,
        "datum_m": 9.5,
        "interval_s": 600.0,
        "dev_eui": "00" * 8,
    }
    known = {"codec", "dev_eui", *KINDS[kind].attributes}
    device = Device(
        DeviceId("box-1"), kind, "", 0, attributes={k: v for k, v in attributes.items() if k in known}
    )  # fmt: skip
    forwarded = forwarded_route(device)
    assert forwarded is not None
    uplinks: list[Item] = [
        (forwarded, Forwarded(proof.f_port, 7, "s", bytes.fromhex(proof.data), None, NOON + SECOND))
    ]
    before = rows(uplinks, NOON + MINUTE)
    lines = taped(uplinks)
    assert [plain(row, NOON) for row in before] == [plain(row, EPOCH) for row in played(lines)]
    told = [json.loads(line) for line in lines]
    if not before:  # the product is not wrong, the kind refuses what it says
        assert told[-1]["left_out"] == {"refused": 1}
        return
    assert "dev_eui" not in told[1]["attributes"]
    if before[0].row[6] == "network":
        assert told[2]["data"] == proof.data.replace(" ", "").lower()
    else:
        assert told[2]["is"] == "sent"


def mapped(kind: str, fields: dict[str, Source], script: str = "") -> Route:
    """A device whose uplinks a declared codec reads, or a vendor's script before it."""
    declare_codecs([Mapped("harada_farm", kind, fields, script=script)])
    device = Device(DeviceId("w"), kind, "", 0, attributes={"codec": "harada_farm"})
    found = forwarded_route(device)
    assert found is not None
    return found


@pytest.mark.parametrize("script", ["", "vendor.js"])
def test_of_a_servers_object_only_what_the_kind_names_is_kept(script: str) -> None:
    """Other members, bytes that nobody here understands, and the codec's own name stay out; uplinks stay told
    apart, and what they said comes back without the codec."""
    to = mapped("weather_station", {"temperature_c": Source(("air", "0", "t"))}, script)
    said = {"air": [{"t": "17.5", "where": "36.69531"}], "owner": "somebody"}
    items: list[Item] = [
        (to, Forwarded(2, None, "", bytes([n]) * 9, said, NOON, simulated=True)) for n in range(2)
    ]
    lines = taped(items)
    text = b"".join(lines)
    assert [word for word in (b"36.69531", b"somebody", b"09" * 4, b"harada") if word in text] == []
    before = [plain(row, NOON) for row in rows(items, NOON + MINUTE)]
    assert len(before) == 2
    assert [plain(row, EPOCH) for row in played(lines)] == before


def test_of_passers_by_the_count_alone_is_recorded_whatever_read_them() -> None:
    """A script's bytes and object hold box and picture; the cassette does not, and the time of the server stays."""
    names = ("species", "count", "confidence", "box", "image")
    to = mapped("wildlife_camera", {name: Source((name,)) for name in names}, "vendor.js")
    said = {"species": "human", "count": 1, "confidence": 0.9, "box": [0.1, 0.2, 0.3, 0.4], "image": "2026/0412.jpg"}  # fmt: skip
    items: list[Item] = [(to, Forwarded(2, 7, "s", b"BOX IMG", said, NOON + SECOND))]
    lines = taped(items)
    assert set(json.loads(lines[2])["document"]) == {"species", "count", "confidence"}
    assert b"424f58" not in b"".join(lines)
    (before,), (after,) = rows(items, NOON + MINUTE), played(lines)
    assert plain(before, NOON) == plain(after, EPOCH)


def test_a_field_that_is_never_kept_is_never_recorded() -> None:
    """Of a declared kind with a secret field: its lowest value stands in where the field is required."""
    for required in (True, False):
        fields = (
            Field("depth_cm", "of snow", "cm", 0, 500, "u16", Sensitivity.PUBLIC),
            Field("echo", "for the check", "", 7, 255, "u8", Sensitivity.SECRET, required=required),
        )
        name = f"snow_{required}".lower()
        slots = (Slot("depth_cm", "u16"), Slot("echo", "u8", none=None if required else 0))
        made = build(
            Declaration(name, "Snow.", 98 + required, fields, slots, frozenset(), {}, (), 60.0, {})
        )
        declare([made])
        device = Device(DeviceId("snow-7"), name, "", 0)
        items: list[Item] = [
            (Route(device, name, json_decoder(made)), b'{"seq":1,"depth_cm":42,"echo":88}')
        ]
        lines = taped(items)
        assert b"88" not in b"".join(lines)
        (before,), (after,) = rows(items, NOON + MINUTE), played(lines)
        assert plain(before, NOON) == plain(after, EPOCH)


CLOCKS = [
    "1970-01-01T00:00:05Z",
    "0001-01-01T00:00:00Z",
    "2106-02-07T06:28:15Z",
    "9999-12-31T23:59:59Z",
]


def test_a_clock_that_nobody_believes_dates_nothing() -> None:
    """What a wrong clock says would tell when the recording was made; such times are told apart and say nothing.
    The rows come back."""
    new = replace(gauge(), registered_at=NOON - 30 * DAY)
    items: list[Item] = [
        (route(new), f'{{"t":"{t}","stage_m":1.5}}'.encode()) for t in CLOCKS + CLOCKS[:1]
    ]
    lines = taped(items)
    told = [json.loads(line)["t"] for line in lines[2:-1]]
    assert {round(t / DAY / 365) for t in told} == {-10, 3}
    assert told[0] == told[-1]
    assert len(set(told)) == len(CLOCKS)
    before = [plain(row, NOON) for row in rows(items, NOON + MINUTE)]
    assert [plain(row, EPOCH) for row in played(lines)] == before
    assert len(before) == len(CLOCKS)


def test_a_server_whose_clock_is_wrong_dates_nothing() -> None:
    device = Device(DeviceId("river-7"), "river_gauge", "", 0)
    forwarded = forwarded_route(device)
    assert forwarded is not None
    lines = taped([(forwarded, Forwarded(4, 1, "", bytes.fromhex("01070880 00ff00"), None, 5))])
    assert "network_at" not in json.loads(lines[2])
    assert [row.row[6] for row in played(lines)] == ["gateway"]


def test_a_counter_that_is_a_clock_is_numbered() -> None:
    now = NOON // SECOND
    items: list[Item] = [
        (route(gauge()), f'{{"seq":{seq},"stage_m":1.5}}'.encode())
        for seq in (now, now + 60, now, 17)
    ]
    assert [json.loads(line)["seq"] for line in taped(items)[2:-1]] == [1, 2, 1, 17]


def test_uplinks_that_differ_in_what_no_kind_names_stay_apart() -> None:
    """A gauge without time and counter, told apart by a member that is never kept: as many rows as then."""
    items: list[Item] = [(route(gauge()), b'{"stage_m":1.5,"uptime":%d}' % n) for n in (1, 2, 3, 3)]
    assert len(rows(items, NOON + MINUTE)) == len(played(taped(items))) == 3


def test_a_device_that_is_changed_meanwhile_is_another_one() -> None:
    """Another kind, another datum: each uplink is read as it was then."""
    other = replace(gauge(), attributes={"datum_m": 9.2})
    station = replace(gauge(), kind="weather_station", attributes={})
    items: list[Item] = [
        (route(gauge()), b'{"seq":1,"distance_m":1.5}'),
        (route(other), b'{"seq":2,"distance_m":1.5}'),
        (route(station), b'{"seq":3,"temperature_c":17.5}'),
    ]
    lines = taped(items)
    names = [json.loads(line)["device"] for line in lines if b'"is":"sent"' in line]
    assert names == ["river_gauge-1", "river_gauge-2", "weather_station-1"]
    before = [plain(row, NOON) for row in rows(items, NOON + MINUTE)]
    assert [plain(row, EPOCH) for row in played(lines)] == before


def test_what_is_late_is_late_again() -> None:
    """A reading of forty days ago, and what came before the recording began, or after a jump of our clock."""
    old = replace(gauge(), registered_at=NOON - 900 * DAY)
    said = f'{{"t":"{to_rfc3339(NOON - 40 * DAY)}","stage_m":1.5}}'.encode()
    items: list[Item] = [(route(old), said)]
    lines = taped(items)
    (before,), (after,) = rows(items, NOON + MINUTE), played(lines)
    assert plain(before, NOON) == plain(after, EPOCH)
    for at in (NOON - DAY, NOON + 900 * DAY):
        assert Cassette("x", taped(items, at=at)).uplinks == 1


def test_nothing_is_recorded_that_could_not_be_read() -> None:
    """A refused payload larger than a line of a cassette is counted."""
    large: Item = (route(gauge()), b"{" * 300_000)
    lines = taped([large], refused=True)
    assert json.loads(lines[-1])["left_out"] == {"too long": 1}
    assert Cassette("x", lines).uplinks == 0


def test_of_passers_by_in_a_device_s_own_words_the_count_alone_is_recorded() -> None:
    """As in the row: no box, no reference to a picture; other references are numbered, for they hold dates."""
    box = '"box": [0.1, 0.2, 0.3, 0.4], "image": "2024/10/04711.jpg"'
    text = '{{"t": "2026-05-12T03:00:00Z", "species": "{}", "count": 1, "confidence": 0.9, {}}}'
    person, bear = (
        [json.loads(line) for line in taped([(route(CAMERA), text.format(who, box).encode())])][2]
        for who in ("human", "bear")
    )
    assert set(person["document"]) == {"species", "count", "confidence"}
    assert bear["document"]["image"] == "1"
    assert bear["document"]["box"] == [0.1, 0.2, 0.3, 0.4]


def test_attributes_that_say_where_or_who_stay_behind() -> None:
    """What decodes stays; everything else is left out, and old registrations are blurred."""
    facts: dict[str, str | float | bool] = {
        "datum_m": 4.2,
        "river": "Jinzu",
        "lat": 36.7,
        "lon": 137.2,
        "dev_eui": "00" * 8,
    }
    device = Device(DeviceId("river-7"), "river_gauge", "16201", NOON - 900 * DAY, attributes=facts)
    lines = taped([(route(device), b'{"seq": 1, "stage_m": 1.5}')])
    assert json.loads(lines[1]) == {
        "is": "device",
        "device": "river_gauge-1",
        "kind": "river_gauge",
        "registered": -400 * DAY,
        "attributes": {"datum_m": 4.2},
    }


EVERYTHING = [uplink(sort, n) for n in range(1, 30) for sort in SORTS]
KNOWN: list[Item] = [(r, p) for r, p in EVERYTHING if isinstance(r, Route)]


def test_of_people_there_are_rows_alone_and_never_a_payload() -> None:
    """Whatever comes, of children and tag readers a recording holds the mask's rows, retold: nothing of
    what is suppressed, rejected or undated, not even how many; and asked for it, no byte that was refused."""
    kept = [row for row in rows(KNOWN, NOON + MINUTE) if row.period is not None]
    assert kept
    for refused in (False, True):
        told = [json.loads(line) for line in taped(KNOWN, refused=refused)]
        assert len([line for line in told if line["is"] == "row"]) == len(kept)
        devices = {line["device"]: line["kind"] for line in told if line["is"] == "device"}
        assert not {KINDS[kind].personal for kind in devices.values()} - {False}
        broken = [line for line in told if line["is"] == "refused"]
        assert {devices[line["device"]] for line in broken} == (
            {"river_gauge"} if refused else set()
        )
        assert told[-1].get("left_out", {}) == ({} if refused else {"refused": 58})


def test_where_people_are_real_nothing_of_them_is_recorded() -> None:
    told = [json.loads(line) for line in taped(KNOWN, people=False)]
    assert "row" not in {line["is"] for line in told}
    assert "sent" in {line["is"] for line in told}


def test_only_what_is_wanted_is_recorded() -> None:
    told = [json.loads(line) for line in taped(KNOWN, wanted="camera")]
    assert {line["device"] for line in told[1:-1]} == {"wildlife_camera-1"}


def test_what_was_refused_comes_back_refused() -> None:
    """With --refused a cassette gives the same rejections, byte for byte."""
    item = uplink("gauge out of range", 3)
    assert isinstance(item[0], Route)
    lines = taped([(item[0], item[1])], refused=True)
    told = [json.loads(line) for line in lines]
    assert bytes.fromhex(told[2]["payload"]) == item[1]
    (again,) = handed_over(lines)
    with pytest.raises(PayloadError) as refusal:
        again[0].decode(again[1], again[0].device)
    assert refusal.value.reason.value == "out of range"


def test_a_recorder_that_lags_behind_loses_lines_and_is_told_how_many() -> None:
    """And a device's own line is told again before its next uplink."""
    lines: list[bytes] = []
    room = [False, True, True, False, True]

    def put(line: bytes) -> bool:
        if taken := room.pop(0):
            lines.append(line)
        return taken

    tape = Tape(
        *(put, KEY, NOON),
        people=True,
        refused=False,
        wanted=lambda _device: True,
    )
    process = Process(masking(), UTC)
    process.tape = tape
    for n in range(4):
        item = uplink("gauge", n)
        process.decide([Uplinks("own", NOON + n, [item], lambda _refused: None)])
    assert [json.loads(line)["is"] for line in lines] == ["device", "sent", "sent"]
    assert json.loads(tape.end())["left_out"] == {"not written in time": 2}


# -- the fiction


def fiction() -> Fiction:
    return Fiction(KEY, NOON, Aliases())


def test_every_kind_about_people_has_a_fiction_with_its_table_s_columns() -> None:
    personal = {name: kind for name, kind in catalog().items() if kind.personal}
    assert set(COLUMNS) == set(personal)
    for name, kind in personal.items():
        told = [column.name for column in table_columns(kind) if column.name not in {"cell", "leg"}]
        assert ["minute", *COLUMNS[name]] == told


def test_the_same_place_is_the_same_place_and_no_shape_survives() -> None:
    """Fixes on a line, 50 m apart, lie anywhere in the fictional square; steps say nothing any more."""
    story = fiction()
    way = [(36.7 + n * 50 * METRE_NORTH, 137.2) for n in range(400)]
    there = [story.retell(Observation("child_tracker", "p", (NOON, bytes(16), bytes(16), *place, 1, None, None)))[1] for place in way]  # fmt: skip
    again = story.retell(
        Observation("child_tracker", "p", (NOON, bytes(16), bytes(16), *way[7], 1, None, None))
    )
    assert again[1] == there[7]
    assert all(0 <= said["lat"] <= SIDE_DEG and 0 <= said["lon"] <= SIDE_DEG for said in there)
    steps = [b["lat"] - a["lat"] for a, b in pairwise(there)]
    assert sum(step > 0 for step in steps) in range(130, 270)
    assert sum(abs(step) for step in steps) / len(steps) > SIDE_DEG / 5


def test_a_cell_is_told_as_a_place_and_a_row_without_a_name_bears_none() -> None:
    row = (NOON, bytes(16), None, None, None, None, "55370136244", 1)
    _minute, told = fiction().retell(Observation("child_tracker", "p", row))
    assert told["pseudonym"] is None
    assert 0 <= told["lat"] <= SIDE_DEG
    assert 0 <= told["lon"] <= SIDE_DEG
    assert observed("child_tracker", "store-2000-W01", EPOCH, told).row[2] is None


def test_another_recording_tells_another_story() -> None:
    row = child_row(1)
    one, two = (Fiction(key, NOON, Aliases()).retell(row)[1] for key in (KEY, KEY[::-1]))
    assert all(one[name] != two[name] for name in ("identity", "pseudonym", "lat", "lon"))


def test_a_row_that_is_retold_can_be_played() -> None:
    """And comes out as it was told, of either kind."""
    tags = rows([uplink("tag read", 1)], NOON + MINUTE)  # type: ignore[list-item]
    for row in (child_row(1), *tags):
        minute, values = fiction().retell(row)
        back = observed(row.kind, "store-2000-W01", EPOCH + minute, values)
        told = list(values.values())
        shown = [v.hex() if isinstance(v, bytes) else v for v in back.row[1:]]
        assert shown == told + [None] * (len(shown) - len(told))
        assert row.row[0] - NOON == minute == back.row[0] - EPOCH


def test_a_kind_without_a_fiction_is_not_told() -> None:
    with pytest.raises(ValueError, match="no fiction"):
        fiction().retell(Observation("river_gauge", None, (NOON, bytes(16))))


CHILD = {"identity": "00" * 16, "pseudonym": "11" * 16, "lat": 0.01, "lon": 0.0, "battery_class": 2}


@pytest.mark.parametrize(
    "change",
    [
        {"lat": 36.69531, "lon": 137.21131},
        {"lat": -0.001},
        {"lat": float("nan")},
        {"lat": "0.01"},
        {"lat": None},
        {"battery_class": 5},
        {"battery_class": True},
        {"battery_class": 2.0},
        {"identity": "00" * 15},
        {"identity": "zz" * 16},
        {"pseudonym": 7},
        {"name": "somebody"},
    ],
)
def test_no_cassette_brings_in_what_no_fiction_tells(change: dict[str, Any]) -> None:
    """A real position least of all: somebody else made the file."""
    observed("child_tracker", "p", EPOCH, CHILD)
    with pytest.raises(PayloadError) as refusal:
        observed("child_tracker", "p", EPOCH, {**CHILD, **change})
    assert "36.69531" not in str(refusal.value)


# -- files that somebody else made

GAUGE = cassette.written(
    cassette.Thing(device="river_gauge-1", kind="river_gauge", registered=0, attributes={})
)
END = b'{"is":"end","lines":0}'


@pytest.mark.parametrize(
    ("lines", "where", "why"),
    [
        ([], "", ""),
        ([GAUGE], "line 1", "does not begin so"),
        ([BEGIN.replace(b'"version":1', b'"version":2')], "line 1", "version 1 alone"),
        ([BEGIN, BEGIN], "line 2", "a second time"),
        ([BEGIN, b"{"], "line 2", "not a JSON object"),
        ([BEGIN, b'{"is":"secret"}'], "line 2", "no line of a cassette"),
        ([BEGIN, b'{"is":"end","lines":0,"more":1}'], "line 2", "no line of a cassette"),
        ([BEGIN, END, GAUGE], "line 3", "behind the end"),
        ([BEGIN, GAUGE, GAUGE], "line 3", "there already"),
        ([BEGIN, GAUGE.replace(b'"river_gauge"', b'"teapot"')], "line 2", "no kind 'teapot'"),
        ([BEGIN, GAUGE.replace(b"river_gauge", b"child_tracker")], "line 2", "no cassette has"),
        ([BEGIN, GAUGE.replace(b"river_gauge-1", b"river-1")], "line 2", "no cassette has"),
        ([BEGIN, GAUGE.replace(b"}", b',"attributes":{"codec":"nobodys"}}')], "line 2", "no cassette"),
        ([BEGIN, GAUGE.replace(b"}", b',"attributes":{"lat":36.7,"lon":137.2}}')], "line 2", "no cassette"),
        ([BEGIN, GAUGE.replace(b"}", b',"attributes":{"dev_eui":"0000000000000000"}}')], "line 2", "no cassette"),
        ([BEGIN, GAUGE.replace(b"}", b',"attributes":{"river":"Taro Yamada 36.69531"}}')], "line 2", "no cassette"),
        ([BEGIN, GAUGE.replace(b"gauge-1", "gauge-١".encode())], "line 2", "no cassette"),
        ([BEGIN, GAUGE.replace(b"gauge-1", b"gauge-" + b"1" * 500)], "line 2", "no cassette"),
        ([BEGIN, GAUGE.replace(b'"kind":"river_gauge"', b'"kind":"\\u001b[2Jowned"')], "line 2", "\\x1b[2Jowned"),
        ([BEGIN, END.replace(b"0", b"77")], "line 2", "77 lines were written and 0 are here"),
        ([BEGIN, END.replace(b"}", b',"left_out":{"\\u001b[2J":1}}')], "line 2", "left_out"),
        ([BEGIN, b'{"is":"row","kind":"child_tracker","minute":-864000000000,"values":{}}'], "line 2", "no cassette says so"),
        ([BEGIN, GAUGE.replace(b"}", b',"attributes":{"colour":"red"}}')], "line 2", "no cassette"),
        ([BEGIN, b'{"is":"sent","after":0,"device":"x","form":"json","digest":"00","document":{}}'], "line 2", "before it"),
        ([BEGIN, GAUGE, b'{"is":"sent","after":-1,"device":"river_gauge-1","form":"json","digest":"00","document":{}}'], "line 3", "before it"),
        ([BEGIN, GAUGE, b'{"is":"sent","after":1,"device":"river_gauge-1","form":"json","digest":"00","document":{"stage_m":"x"}}'], "line 3", "no cassette says so"),
        ([BEGIN, GAUGE, b'{"is":"sent","after":1,"device":"river_gauge-1","form":"binary","digest":"00","t":-999999999999999,"document":{"stage_m":1}}'], "line 3", "no cassette says so"),
        ([BEGIN, GAUGE, b'{"is":"sent","after":1,"device":"river_gauge-1","form":"json","digest":"00","t":99999999999999999999,"document":{}}'], "line 3", "no cassette says so"),
        ([BEGIN, GAUGE, b'{"is":"refused","after":1,"device":"river_gauge-1","form":"json","payload":"xyz"}'], "line 3", "no cassette says so"),
        ([BEGIN, GAUGE, b'{"is":"forwarded","after":1,"device":"river_gauge-1","f_port":-3,"data":""}'], "line 3", "no cassette says so"),
        ([BEGIN, b'{"is":"row","kind":"river_gauge","minute":0,"values":{}}'], "line 2", "no kind of rows about people"),
        ([BEGIN, b'{"is":"row","kind":"child_tracker","minute":1,"values":{}}'], "line 2", "minute"),
    ],
)  # fmt: skip
def test_what_is_no_cassette_is_refused_by_its_line(
    lines: list[bytes], where: str, why: str
) -> None:
    """Before anything of it is stored. An empty file is not met here: it is no cassette to begin with."""
    if not lines:
        assert not cassette.begins(b"")
        return
    with pytest.raises(Refusal) as refusal:
        Cassette("x.cassette", lines)
    assert f"x.cassette, {where}" in str(refusal.value)
    assert why in str(refusal.value)


def test_a_cassette_of_more_devices_than_any_has_is_refused() -> None:
    things = [GAUGE.replace(b"gauge-1", b"gauge-%d" % n) for n in range(1, 10_002)]
    with pytest.raises(Refusal, match="line 10002: no cassette has more than 10,000 devices"):
        Cassette("x", [BEGIN, *things])


@pytest.mark.parametrize("change", [{"stop": None}, {"vehicle": "vehicle-1"}, {"stop": "Harada"}])
def test_no_row_of_a_reader_that_is_nowhere_or_in_two_places(change: dict[str, Any]) -> None:
    values = {
        "identity": "00" * 16,
        "stop": "stop-1",
        "vehicle": None,
        "antenna": 1,
        "tag": "11" * 16,
    }
    observed("bus_stop_reader", "p", EPOCH, values)
    with pytest.raises(PayloadError):
        observed("bus_stop_reader", "p", EPOCH, {**values, **change})


def test_a_cassette_that_was_written_anew_is_still_one() -> None:
    """With blanks between, as editors lay JSON out."""
    assert cassette.begins(b'{ "is": "cassette", "version": 1')
    assert not cassette.begins(b'{"type":"cassette"}')


def test_a_cassette_that_was_cut_off_can_be_read() -> None:
    assert Cassette("x", [BEGIN, GAUGE]).left_out is None
    assert Cassette("x", [BEGIN, GAUGE, END]).left_out == {}
