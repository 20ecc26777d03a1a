"""One script in QuickJS, within its limits: no console, no files, no network, no timers, no other host.

Three forms of codec are known: `decodeUplink({bytes, fPort, recvTime, variables})` of The Things Network v3 and
ChirpStack v4, `Decoder(bytes, port)` of The Things Network v2, `Decode(fPort, bytes, variables)` of ChirpStack v3.
"""

import json
import re
from typing import Any

import msgspec
import quickjs

from gateway.scripts.buffer import BUFFER
from gateway.scripts.messages import LARGEST_OBJECT, Answer, Fault, Task

CPU_S = 0.1
"""CPU time of one run; catastrophic regular expressions are interrupted too."""

BRIEF_S = 0.01
"""CPU time of a brief one, in which nearly every codec is through; its loading has as much again."""

MEMORY = 16 << 20
STACK = 256 << 10

_WORLD = """
globalThis.console = new Proxy({}, {get: () => () => undefined});
delete globalThis.Atomics;
delete globalThis.SharedArrayBuffer;
"""
"""`Atomics.wait` would sleep without using CPU time, and a script shares memory with nobody."""

_CALL = """
globalThis.__form = typeof decodeUplink === "function" ? "decodeUplink"
  : typeof Decoder === "function" ? "Decoder" : typeof Decode === "function" ? "Decode" : "";
globalThis.__run = function (text) {
  const asked = JSON.parse(text);
  const {bytes, fPort} = asked;
  let said;
  if (__form === "decodeUplink")
    said = decodeUplink({bytes, fPort, recvTime: new Date(asked.received_ms), variables: {}});
  else
    said = {data: __form === "Decoder" ? Decoder(bytes, fPort) : Decode(fPort, bytes, {})};
  return JSON.stringify(said);
};
"""

_WORDS = 200
"""Characters that are kept of the engine's own words, or a vendor's."""

_LINE = re.compile(r"<input>:(\d+)")


class Faulty(Exception):
    """The script made no object; `answer` says why. Its context is spoilt."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(answer.fault)
        self.answer = answer


class Loaded:
    """A script, read and ready.

    Args:
        brief: it may take no longer than a brief run.

    Raises:
        Faulty: it cannot be read, runs into a limit while it is, or defines no codec.
    """

    def __init__(self, text: str, *, brief: bool = False) -> None:
        self._context = context = quickjs.Context()
        context.set_time_limit(BRIEF_S if brief else CPU_S)
        context.set_memory_limit(MEMORY)
        context.set_max_stack_size(STACK)
        context.eval(_WORLD)
        if "Buffer" in text:
            context.eval(BUFFER)
        try:
            context.eval(text)
            context.eval(_CALL)
        except quickjs.JSException as error:
            raise Faulty(_fault(error, Fault.SYNTAX)) from None
        if not context.get("__form"):
            raise Faulty(Answer(fault=Fault.NO_CODEC))
        self._run = context.get("__run")

    def run(self, task: Task) -> Answer:
        """What it makes of a payload.

        Raises:
            Faulty: as `Answer.fault` has it; this object may not be used again.
        """
        self._context.set_time_limit(BRIEF_S if task.brief else CPU_S)
        data = bytes.fromhex(task.data or "")
        asked = {"bytes": list(data), "fPort": task.f_port, "received_ms": task.received_ms}
        try:
            said = self._run(json.dumps(asked))
        except quickjs.JSException as error:
            raise Faulty(_fault(error, Fault.ERROR)) from None
        except UnicodeDecodeError:  # half of a character: JSON.stringify never makes one
            raise Faulty(Answer(fault=Fault.NO_OBJECT)) from None
        if not isinstance(said, str):
            raise Faulty(Answer(fault=Fault.NO_OBJECT))
        if len(said) > LARGEST_OBJECT:
            raise Faulty(Answer(fault=Fault.TOO_LARGE))
        try:
            return _answer(msgspec.json.decode(said))
        except (msgspec.DecodeError, RecursionError):
            raise Faulty(Answer(fault=Fault.NO_OBJECT)) from None


def _answer(said: Any) -> Answer:
    found = said.get("data") if isinstance(said, dict) else said
    if not isinstance(said, dict) or not (found is None or isinstance(found, dict)):
        return Answer(fault=Fault.NO_OBJECT)
    return Answer(found, _texts(said.get("warnings")), _texts(said.get("errors")))


def _texts(said: Any) -> list[str]:
    """A list of sentences; some vendors write one alone."""
    if not said:
        return []
    return [str(one) for one in said] if isinstance(said, list) else [str(said)]


def _fault(error: Exception, otherwise: Fault) -> Answer:
    """Why the engine gave up, by its words; without memory for words it says null."""
    said = str(error)
    found = _LINE.search(said)
    line = int(found[1]) if found else None
    if isinstance(error, quickjs.StackOverflow):
        fault = Fault.STACK
    elif said.startswith("InternalError: interrupted"):
        fault = Fault.TIME
    elif said.startswith("InternalError: out of memory") or said.strip() == "null":
        fault = Fault.MEMORY
    else:
        fault = otherwise if otherwise is Fault.ERROR or "SyntaxError" in said else Fault.ERROR
    return Answer(fault=fault, line=line, detail=said.strip().partition("\n")[0][:_WORDS])
