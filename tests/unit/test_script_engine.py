"""One script in the engine: three forms of codec, nothing of the machine, and limits."""

import pytest

from gateway.scripts.engine import Faulty, Loaded
from gateway.scripts.messages import Fault, Task

V3 = "function decodeUplink(input) { return {data: {port: input.fPort, first: input.bytes[0]}} }"
TTN2 = "function Decoder(bytes, port) { return {port: port, first: bytes[0]} }"
CHIRPSTACK3 = "function Decode(fPort, bytes, variables) { return {port: fPort, first: bytes[0]} }"
ENDLESS = "function decodeUplink(input) { for (;;) ; }"
GREEDY = (
    "function decodeUplink(input) { const a = []; for (;;) a.push('x'.repeat(999) + a.length) }"
)
REGEX = "function decodeUplink(input) { return {data: {a: /^(a+)+$/.test('a'.repeat(40) + 'b')}} }"


def asked(data: str = "2a", f_port: int = 7) -> Task:
    return Task("", None, f_port, data, 1_700_000_000_000)


@pytest.mark.parametrize("text", [V3, TTN2, CHIRPSTACK3], ids=["decodeUplink", "Decoder", "Decode"])
def test_a_codec_may_have_any_of_three_forms(text: str) -> None:
    assert Loaded(text).run(asked()).object == {"port": 7, "first": 42}


def test_a_script_knows_when_its_uplink_came() -> None:
    text = "function decodeUplink(i) { return {data: {at: i.recvTime.toISOString()}} }"
    assert Loaded(text).run(asked()).object == {"at": "2023-11-14T22:13:20.000Z"}


def test_warnings_and_errors_are_handed_on() -> None:
    text = "function decodeUplink(i) { return {data: {a: 1}, warnings: ['w'], errors: ['e', 2]} }"
    answer = Loaded(text).run(asked())
    assert (answer.warnings, answer.errors) == (["w"], ["e", "2"])


def test_a_console_is_there_and_silent(capfd: pytest.CaptureFixture[str]) -> None:
    text = "console.log('loaded'); function Decoder(b) { console.error(b); return {a: 1} }"
    assert Loaded(text).run(asked()).object == {"a": 1}
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    "name", ["require", "process", "std", "os", "fetch", "setTimeout", "Atomics", "WebAssembly"]
)
def test_a_script_reaches_nothing_of_the_machine(name: str) -> None:
    text = f"function Decoder() {{ return {{there: typeof {name}}} }}"
    assert Loaded(text).run(asked()).object == {"there": "undefined"}


@pytest.mark.parametrize(
    ("text", "fault", "line"),
    [
        ("let a = 1;\nfunction (", Fault.SYNTAX, 2),
        ("let a = 1;", Fault.NO_CODEC, None),
        ("let a = 1;\nb();", Fault.ERROR, 2),
        ("for (;;) ;", Fault.TIME, 1),
    ],
)
def test_a_script_that_cannot_be_loaded_says_why_and_where(
    text: str, fault: Fault, line: int | None
) -> None:
    with pytest.raises(Faulty) as faulty:
        Loaded(text)
    assert (faulty.value.answer.fault, faulty.value.answer.line) == (fault, line)


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        (ENDLESS, Fault.TIME),
        (GREEDY, Fault.MEMORY),
        (REGEX, Fault.TIME),
        ("function Decoder() { for (;;) try { for (;;) ; } catch (e) { } }", Fault.TIME),
        ("function Decoder() { return Decoder() }", Fault.STACK),
        ("function Decoder() { return {a: 'x'.repeat(70000)} }", Fault.TOO_LARGE),
        ("function Decoder() { throw new TypeError('no') }", Fault.ERROR),
        ("function decodeUplink() { }", Fault.NO_OBJECT),
        ("JSON.stringify = () => '['.repeat(60000); function Decoder() { }", Fault.NO_OBJECT),
        ("JSON.stringify = () => 5; function Decoder() { }", Fault.NO_OBJECT),
        ("JSON.stringify = () => '\\ud800'; function Decoder() { }", Fault.NO_OBJECT),
        ("function Decoder() { return {a: '\\ud800'} }", Fault.NO_OBJECT),
        ("function Decoder() { throw new Error('x'.repeat(1e6)) }", Fault.ERROR),
        ("function Decoder() { return {a: 1n} }", Fault.ERROR),
        ("function Decoder() { return {get a() { for (;;) ; }} }", Fault.TIME),
        ("async function Decoder() { for (;;) await 1 }", None),
    ],
)
def test_a_run_that_goes_wrong_is_stopped_and_told_apart(text: str, fault: Fault | None) -> None:
    try:
        answer = Loaded(text).run(asked())
    except Faulty as faulty:
        answer = faulty.answer
    assert answer.fault is fault
    assert len(answer.detail) <= 200


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("b.readUInt16BE(0)", 0x8001),
        ("b.readUint16LE(0)", 0x0180),
        ("b.readInt16BE(0)", -32767),
        ("b.readInt8(0)", -128),
        ("b.readUIntBE(0, 3)", 0x800102),
        ("b.readIntLE(1, 3)", -0x3FFDFF),
        ("b.readUInt32BE(2)", 0x02C03F80),
        ("Buffer.from('3f800000', 'hex').readFloatBE(0)", 1.0),
        ("Number(Buffer.alloc(8).readBigUInt64LE(0))", 0),
        ("b.slice(1, 3).toString('hex')", "0102"),
        ("Buffer.from('水位').toString()", "水位"),
        ("Buffer.concat([b, Buffer.from([7])]).length", 7),
        ("Buffer.isBuffer(b)", True),
    ],
)  # fmt: skip
def test_a_payload_can_be_read_by_the_buffer_that_chirpstack_gives(
    expression: str, expected: object
) -> None:
    """As Node.js documents it; the six bytes are 80 01 02 c0 3f 80."""
    text = f"function Decoder(given) {{ const b = Buffer.from(given); return {{a: {expression}}} }}"
    assert Loaded(text).run(asked("800102c03f80")).object == {"a": expected}


@pytest.mark.parametrize(
    "expression",
    ["Buffer.from('AQID', 'base64')", "b.toString('ucs2')", "b.readUIntBE(4, 3)", "b.readIntLE(0, 7)", "b.readUInt16BE(5)"],
)  # fmt: skip
def test_what_that_buffer_does_not_know_is_an_error(expression: str) -> None:
    """And no reading: an encoding that is not there, bytes past the end."""
    text = f"function Decoder(given) {{ const b = Buffer.from(given); return {{a: {expression}}} }}"
    with pytest.raises(Faulty) as raised:
        Loaded(text).run(asked("800102c03f80"))
    assert raised.value.answer.fault is Fault.ERROR


def test_a_codec_that_brings_a_buffer_of_its_own_uses_that() -> None:
    text = "class Buffer { static from() { return 5 } } function Decoder(b) { return {a: Buffer.from(b)} }"
    assert Loaded(text).run(asked()).object == {"a": 5}
