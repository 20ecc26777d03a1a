"""A device's mouth: values → the bytes its hardware would send, with its own counter."""

from collections.abc import Callable, Mapping
from typing import Any

from gateway.devices.catalog import catalog
from gateway.devices.decode import to_binary, to_json
from gateway.devices.kind import DeviceKind, Document
from gateway.model.instant import SECOND, Instant
from simulators.calendar import utc
from simulators.fleet import SimDevice
from simulators.uplink import SimUplink

Sink = Callable[[SimUplink], None]
"""Where finished uplinks go."""


def plain(document: Document) -> dict[str, Any]:
    """A document's fields as plain values, without `t`, `seq` and what is absent."""
    found: dict[str, Any] = {}
    for name in document.__struct_fields__:
        value = getattr(document, name)
        if value is not None and name not in ("t", "seq"):
            found[name] = value
    if "reads" in found:
        found["reads"] = [
            {"epc": read.epc, "antenna": read.antenna, "rssi_dbm": read.rssi_dbm}
            for read in found["reads"]
        ]
    return found


def encode(kind: DeviceKind, form: str, document: Document) -> bytes:
    """The payload in the device's form.

    Raises:
        PayloadError: a value does not fit the binary form.
    """
    return to_json(document) if form == "json" else to_binary(kind, document)


class Speaker:
    """Says what one device says. Times are cut to whole seconds in both forms."""

    def __init__(self, device: SimDevice, sink: Sink) -> None:
        self.device = device
        self._kind = catalog()[device.kind]
        self._sink = sink
        self._seq = 0

    def say(
        self, sent: Instant, t: Instant, truth: Mapping[str, Any] | None, **fields: Any
    ) -> None:
        """Send one uplink at town time `sent` about the moment `t`."""
        kind, form = self._kind, self.device.form
        t -= t % SECOND
        self._seq += 1
        document = kind.document(t=utc(t), seq=self._seq, **fields)
        payload = encode(kind, form, document)
        if form == "binary":  # what its few bytes can carry is what was said
            document = kind.unpack(kind.pack(document))
        self._sink(
            SimUplink(
                sent,
                self.device.device,
                self.device.kind,
                form,
                payload,
                t,
                self._seq,
                plain(document),
                truth,
            )
        )
