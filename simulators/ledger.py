"""Ground truth as JSON lines: who is who, what was sent, what was harmed (docs/ledger.md)."""

from collections.abc import Iterable, Iterator, Mapping
from hashlib import blake2b
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import msgspec

from gateway.model.instant import Instant, to_rfc3339
from simulators.calendar import ZONE
from simulators.fleet import SimDevice
from simulators.uplink import SimUplink

FORMAT = 1


def header(
    town: str,
    seed: int,
    start: Instant,
    children: int,
    report_every_s: float,
    harm: float,
    faults: Mapping[str, float],
    step: Instant,
) -> dict[str, Any]:
    """The first line; `step` as in `simulators.drive.Step`, 0 = not in lock-step."""
    return {
        "sekisho_ledger": FORMAT,
        "town": town,
        "seed": seed,
        "start": to_rfc3339(start, ZONE),
        "start_us": start,
        "fictional": True,
        "note": "invented streets, homes and people around real bus stops",
        "children": children,
        "report_every_s": report_every_s,
        "harm": harm,
        "faults": dict(faults),
        "step_us": step,
    }


def roster_line(device: SimDevice) -> dict[str, Any]:
    """What a registry knows of one device."""
    return {
        "roster": device.device,
        "kind": device.kind,
        "form": device.form,
        "owner": device.owner,
        "registered_at": device.registered_at,
        "attributes": dict(device.attributes),
        "household": device.household,
        "home": device.home,
        "crs": "EPSG:4326",
        "radius_m": device.radius_m,
        "consent": device.consent,
    }


def uplink_line(n: int, uplink: SimUplink) -> dict[str, Any]:
    """One uplink, the `n`-th (from 1) that was handed to the outlet."""
    return {
        "n": n,
        "device": uplink.device,
        "kind": uplink.kind,
        "form": uplink.form,
        "sent": uplink.sent,
        "t": uplink.t,
        "seq": uplink.seq,
        "digest": blake2b(uplink.payload, digest_size=8).hexdigest(),
        "harm": uplink.harm,
        "values": uplink.values,
        "truth": uplink.truth,
    }


def lost_line(uplink: SimUplink) -> dict[str, Any]:
    """One uplink that never left its device; it has no number."""
    return {
        "lost": uplink.device,
        "kind": uplink.kind,
        "form": uplink.form,
        "sent": uplink.sent,
        "t": uplink.t,
        "seq": uplink.seq,
        "harm": uplink.harm,
        "values": uplink.values,
        "truth": uplink.truth,
    }


class Ledger:
    """Writes a ledger file; every line is handed to the operating system at `flush`, at the latest at `close`.

    Use as a context manager. `write` before the uplink is sent, so that nothing can be stored
    anywhere that the ledger does not know.
    """

    def __init__(self, path: Path, head: dict[str, Any], fleet: Iterable[SimDevice]) -> None:
        self._file = path.open("wb", buffering=1 << 16)
        self._encode = msgspec.json.Encoder().encode
        self.uplinks = 0
        for line in (head, *map(roster_line, fleet)):
            self._put(line)

    def note(self, line: Mapping[str, Any]) -> None:
        """Write what else is true: a line that is neither uplink nor roster."""
        self._put(line)

    def _put(self, line: Mapping[str, Any]) -> None:
        self._file.write(self._encode(line) + b"\n")

    def write(self, uplink: SimUplink) -> None:
        """Note one uplink that is about to be handed to the outlet, or that is lost."""
        if uplink.lost:
            self._put(lost_line(uplink))
            return
        self.uplinks += 1
        self._put(uplink_line(self.uplinks, uplink))

    def flush(self) -> None:
        """Make what was written visible to readers."""
        self._file.flush()

    def close(self) -> None:
        self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        _type: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        self.close()


def read_ledger(path: Path) -> Iterator[dict[str, Any]]:
    """The lines of a ledger; a last line that was cut off by a kill is left out."""
    decode = msgspec.json.Decoder().decode
    with path.open("rb") as file:
        for raw in file:
            if raw.endswith(b"\n"):
                yield decode(raw)
