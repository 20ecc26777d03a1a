"""The 32-bit counter behind the 16 bits of a frame (LoRaWAN 1.0.4 §4.3.1.5)."""

_LOW = 1 << 16


def reconstruct(f_cnt: int, last: int | None) -> int:
    """The smallest 32-bit counter behind `last` with these low 16 bits; `last` itself for a repetition.

    Args:
        f_cnt: the frame's 16 bits.
        last: the last accepted counter; None before the first frame of a session.

    Raises:
        OverflowError: the counter has run out: 32 bits are used up, and the device must join again.
    """
    if last is None:
        return f_cnt
    whole = (last & ~(_LOW - 1)) | f_cnt
    if whole < last:
        whole += _LOW
    if whole >= 1 << 32:
        raise OverflowError("the counter of this session has run out")
    return whole
