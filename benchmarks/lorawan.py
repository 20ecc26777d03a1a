"""What LoRaWAN frames cost: parse, MIC and decryption of an uplink with 13 bytes of an application, per CPU-second.

    python -m benchmarks.lorawan

A thousand devices, each with keys of its own, as the network has them: the contexts stand ready and are copied per frame.
The bar is 100,000 frames a CPU-second; the best of five rounds counts, the median is printed beside it.
"""

from collections.abc import Callable
from statistics import median
from time import process_time

from gateway.wire.lorawan.crypto import BLOCK, Key
from gateway.wire.lorawan.frames import Data, MType, parse
from gateway.wire.lorawan.identifiers import DevAddr
from gateway.wire.lorawan.join import SessionKeys
from gateway.wire.lorawan.secured import opened, right_mic, sealed

DEVICES, FRAMES, ROUNDS = 1_000, 40_000, 5
PAYLOAD = bytes(range(13))
BAR = 100_000


def keys_of(device: int, *, is_1_1: bool) -> SessionKeys:
    """A device's keys; in 1.0 three of them are one."""
    four = [Key(bytes((n,)) + device.to_bytes(BLOCK - 1, "big")) for n in range(4)]
    f, s, enc = four[:3] if is_1_1 else four[:1] * 3
    return SessionKeys(f, s, enc, four[3], is_1_1=is_1_1)


def prepared(*, is_1_1: bool) -> tuple[list[SessionKeys], list[bytes]]:
    """Keys by device, and frames of every device in turn."""
    keys = [keys_of(device, is_1_1=is_1_1) for device in range(DEVICES)]
    frames = [
        sealed(
            *(keys[n % DEVICES], MType.UNCONFIRMED_UP),
            *(DevAddr((n % DEVICES).to_bytes(4, "big")), n // DEVICES),
            f_port=2,
            payload=PAYLOAD,
        )
        for n in range(FRAMES)
    ]
    return keys, frames


def read(keys: list[SessionKeys], frames: list[bytes]) -> int:
    """Read every frame as the network does; how many were right."""
    right = 0
    for n, phy in enumerate(frames):
        data = parse(phy)
        assert isinstance(data, Data)
        own = keys[n % DEVICES]
        if right_mic(own, data, data.f_cnt) == data.mic:
            right += opened(own, data, data.f_cnt).payload == PAYLOAD
    return right


def per_cpu_second(work: Callable[[], int]) -> list[float]:
    """Frames a CPU-second of each round."""
    rates = []
    for _ in range(ROUNDS):
        begun = process_time()
        done = work()
        rates.append(done / (process_time() - begun))
        assert done == FRAMES
    return rates


def main() -> None:
    """Print a line for each version."""
    for version, is_1_1 in (("1.0", False), ("1.1", True)):
        keys, frames = prepared(is_1_1=is_1_1)
        rates = per_cpu_second(lambda keys=keys, frames=frames: read(keys, frames))  # type: ignore[misc]
        verdict = "" if max(rates) >= BAR else f"  below the bar of {BAR:,}"
        print(
            f"LoRaWAN {version}: {max(rates):>9,.0f} frames/CPU-s (median {median(rates):,.0f}){verdict}"
        )


if __name__ == "__main__":
    main()
