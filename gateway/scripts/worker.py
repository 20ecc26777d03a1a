"""The process that runs scripts: tasks by standard input, answers by standard output, until the input ends.

    python -m gateway.scripts.worker

A script stays loaded from one uplink to the next; after any fault its context is dropped, because nobody can say what
state it is in.
"""

import ctypes
import os
import signal
import sys
from collections import OrderedDict
from pathlib import Path
from typing import BinaryIO

import msgspec

from gateway.scripts.engine import Faulty, Loaded
from gateway.scripts.messages import HEAD, Answer, Task, framed

_PR_SET_PDEATHSIG = 1

_WARM = 64
"""Scripts loaded at a time; the one that was not used for longest goes first."""

_HELD = 256 << 20
"""Bytes of memory with which all of them are dropped: each may hold what a script may, and they add up."""

_PAGE = os.sysconf("SC_PAGE_SIZE")


def main(asked: BinaryIO, answered: BinaryIO) -> None:
    """Say that one is there; then answer until there is nothing more to answer."""
    texts: dict[str, str] = {}
    warm: OrderedDict[str, Loaded] = OrderedDict()
    decode = msgspec.json.Decoder(Task).decode
    answered.write(framed(Answer()))
    answered.flush()
    while head := asked.read(HEAD):
        task = decode(asked.read(int.from_bytes(head, "big")))
        if task.text is not None:
            texts[task.digest] = task.text
        answered.write(framed(_answer(task, texts, warm)))
        answered.flush()
        if _resident() > _HELD:
            warm.clear()


def _answer(task: Task, texts: dict[str, str], warm: OrderedDict[str, Loaded]) -> Answer:
    try:
        known = None if task.fresh else warm.get(task.digest)
        script = known or Loaded(texts[task.digest], brief=task.brief)
        answer = Answer() if task.data is None else script.run(task)
    except Faulty as faulty:
        warm.pop(task.digest, None)
        return faulty.answer
    if task.fresh:
        return answer
    warm[task.digest] = script
    warm.move_to_end(task.digest)
    if len(warm) > _WARM:
        warm.popitem(last=False)
    return answer


def _resident() -> int:
    """Bytes of memory that this process holds."""
    return int(Path("/proc/self/statm").read_bytes().split()[1]) * _PAGE


def _die_with_the_gateway() -> None:
    """A script that hangs the engine is ended by the gateway's clock; where there is no gateway left, by this."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


if __name__ == "__main__":
    _die_with_the_gateway()
    for number in (signal.SIGTERM, signal.SIGINT):  # the gateway is still finishing what it took in
        signal.signal(number, signal.SIG_IGN)
    main(sys.stdin.buffer, sys.stdout.buffer)
