"""Runs the examples of a configuration: its own decoders, its own mask, in memory alone."""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from gateway.devices.catalog import catalog
from gateway.devices.decode import binary_decoder, json_decoder, with_head
from gateway.devices.tables import table_columns, table_key
from gateway.keys.memory import MemoryKeys
from gateway.model.device import Device
from gateway.model.instant import Instant, parse_rfc3339, to_rfc3339
from gateway.model.reason import Fate, Reason
from gateway.model.uplink import Route, Uplinks
from gateway.pipeline.process import Process
from gateway.privacy.mask import Mask
from gateway.registry.words import nearest
from gateway.settings.complaints import Complaint, complain
from gateway.settings.document import Path
from gateway.settings.load import Settings
from sekisho.example_file import FOLDER, Examples, ExpectFile, UplinkFile, read_examples

_TIMES = ("observed_at", "received_at", "minute")
_KEYED = ("identity", "pseudonym", "tag")


class Became(NamedTuple):
    """What became of one uplink: its fate, why, and the rows that are new."""

    fate: Fate
    reason: Reason | None
    rows: list[dict[str, Any]]


def run(settings: Settings) -> tuple[int, list[Complaint]]:
    """How many examples of the configuration hold, and a complaint for each uplink that does not."""
    held, found = 0, []
    for file in sorted((settings.file.parent / FOLDER).glob("*.yaml")):
        examples, complaints = read_examples(file, settings)
        found += complaints
        if examples is None:
            continue
        for index in range(len(examples.examples)):
            differing = [*_differing(examples, index, settings)]
            found += differing
            held += not differing
    return held, found


def _differing(examples: Examples, index: int, settings: Settings) -> Iterator[Complaint]:
    example = examples.examples[index]
    gateway = _Gateway(settings)
    for number, uplink in enumerate(example.uplinks):
        path: Path = ("examples", index, "uplinks", number)
        device = examples.devices[example.device]
        port = catalog()[device.kind].f_port
        if uplink.f_port not in (None, port):
            sentence = f"{device.kind} speaks on port {port}."
            yield complain(examples.document, (*path, "f_port"), sentence)
            continue
        became = gateway.take(device, uplink, number)
        sentences = _difference(uplink.expect, became, device.kind, settings)
        for place, sentence in sentences:
            where = (*path, "expect", *place)
            yield complain(examples.document, where, f"{example.name}: {sentence}")


class _Gateway:
    """Decoders, mask and the memory of what is stored; no disk, no door, keys that nobody keeps."""

    def __init__(self, settings: Settings) -> None:
        policy = settings.policy
        mask = Mask(policy, MemoryKeys(), {name: kind.row for name, kind in catalog().items()})
        self._process = Process(mask, policy.zone)
        self._stored: set[tuple[Any, ...]] = set()

    def take(self, device: Device, uplink: UplinkFile, number: int) -> Became:
        """What becomes of the `number`-th uplink of an example."""
        kind = catalog()[device.kind]
        if uplink.json_text is not None:
            route, payload = Route(device, kind.name, json_decoder(kind)), uplink.json_text.encode()
        else:
            route = Route(device, kind.name, binary_decoder(kind))
            payload = bytes.fromhex(uplink.binary or "")
            if uplink.f_port is not None:  # the frame's own counter
                payload = with_head(payload, None, number + 1)
        refused: dict[int, Reason] = {}
        one = Uplinks("own", uplink.received_at, [(route, payload)], refused.update)
        batch = self._process.decide([one])
        if batch.refusals[0]:
            return Became(Fate.REJECTED, batch.refusals[0][0], [])
        new = [*self._new(batch.outcome.rows)]
        if batch.waiting:
            return Became(Fate.STORED if new else Fate.DUPLICATE, None, new)
        _origin, _kind, fate, reason = next(iter(batch.terms))
        return Became(fate, reason, [])

    def _new(self, tables: Mapping[Any, Any]) -> Iterator[dict[str, Any]]:
        for (period, name), rows in tables.items():
            kind = catalog()[name]
            columns = [column.name for column in table_columns(kind)]
            width = len(table_key(kind))
            for observation in rows.observations:
                key = (period, name, *observation.row[:width])
                if key not in self._stored:
                    self._stored.add(key)
                    yield dict(zip(columns, observation.row, strict=True))


def _difference(
    expect: ExpectFile, became: Became, kind: str, settings: Settings
) -> Iterator[tuple[Path, str]]:
    """Places below `expect` and sentences; none where it holds."""
    wanted = next(iter(expect.model_fields_set))
    reason = expect.rejected or expect.suppressed
    it_is = str(became.fate) if became.reason is None else f"{became.fate}, {became.reason}"
    should = wanted if reason is None else f"{wanted}, {reason}"
    if it_is != should:
        yield (wanted,), f"it is {it_is}, and should be {should}."
        return
    if expect.stored is None:
        return
    if len(expect.stored) != len(became.rows):
        many, some = len(expect.stored), len(became.rows)
        yield ("stored",), f"it is {some} row{'' if some == 1 else 's'}, and should be {many}."
        return
    for position, (row, said) in enumerate(zip(expect.stored, became.rows, strict=True)):
        for name, value in row.items():
            if (sentence := _cell(name, value, said, kind, settings)) is not None:
                yield ("stored", position, name), sentence


def _cell(
    name: str, wanted: Any, row: Mapping[str, Any], kind: str, settings: Settings
) -> str | None:
    if name in _KEYED and name in row:
        return f"{name} is keyed, and another one in every file: it cannot be expected."
    if name not in row:
        hint = nearest(name, list(row), unless=f" It has {', '.join(row)}.")
        return f"{kind} keeps no {name}.{hint}"
    found = row[name].hex() if isinstance(row[name], bytes) else row[name]
    if name in _TIMES:
        found, wanted = to_rfc3339(found, settings.policy.zone), _time(wanted, settings)
    numbers = all(isinstance(v, (int, float)) and v is not None for v in (found, wanted))
    same = abs(found - wanted) <= 1e-9 * max(1.0, abs(wanted)) if numbers else found == wanted
    if same:
        return None
    should = (
        f'the text "{wanted}"'
        if isinstance(wanted, str) and not isinstance(found, str)
        else _shown(wanted)
    )
    return f"{name} is {_shown(found)}, and should be {should}."


def _time(wanted: Any, settings: Settings) -> str:
    try:
        at: Instant = parse_rfc3339(str(wanted))
    except ValueError:
        return str(wanted)
    return to_rfc3339(at, settings.policy.zone)


def _shown(value: Any) -> str:
    return "empty" if value is None else str(value)
