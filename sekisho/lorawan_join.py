"""`sekisho lorawan join-trace`: a join step by step, which one fails, and what to look at next."""

from typing import Annotated, Any, NamedTuple

import typer

from gateway.model.errors import Refusal
from gateway.wire.lorawan import join
from gateway.wire.lorawan.crypto import Key
from gateway.wire.lorawan.frames import (
    MIC,
    Data,
    Frame,
    FrameError,
    JoinAccept,
    JoinRequest,
    parse,
)
from gateway.wire.lorawan.join import Accept, SessionKeys
from sekisho import screen
from sekisho.lorawan_decode import said
from sekisho.lorawan_input import AppKey, NwkKey, frame, key, refused
from sekisho.lorawan_mic import REVERSED, RIGHT, judged
from sekisho.place import Json

_REVERSE = (
    "The key was entered with its bytes in the other order: reverse it where you registered the device "
    "(some makers print it least significant byte first)."
)


class Step(NamedTuple):
    """One step of a join.

    Attributes:
        ok: None where it could not be tried.
        says: what was found, or what to look at next.
    """

    step: str
    ok: bool | None
    says: str


def join_trace(
    request: Annotated[
        str | None,
        typer.Argument(
            metavar="REQUEST|-", show_default=False, help="The join-request, hex digits or base64."
        ),
    ] = None,
    accept: Annotated[
        str | None,
        typer.Argument(
            metavar="ACCEPT", show_default=False, help="The join-accept, where there was one."
        ),
    ] = None,
    *,
    app_key: AppKey = None,
    nwk_key: NwkKey = None,
    uplink: Annotated[
        str | None,
        typer.Option(
            metavar="FRAME",
            show_default=False,
            help="The first uplink after the join: whether its session is the one derived here.",
        ),
    ] = None,
    json: Json = False,
) -> None:
    """Follow a join step by step: whose it is, whether its MIC is right, what the answer gives, and what to check next.

    Exit code 1 if a step fails. Root keys and the keys derived from them are never shown.
    """  # fmt: skip
    app, nwk = key(app_key, "--app-key"), key(nwk_key, "--nwk-key")
    if app is None:
        raise Refusal("--app-key is missing: the root key, 32 hex digits or a file.", exit_code=2)
    asked = _frame(request)
    if not isinstance(asked, JoinRequest):
        raise Refusal("REQUEST is no join-request (23 bytes, the first of them 00).", exit_code=2)
    facts: dict[str, Any] = {
        "join_eui": str(asked.join_eui),
        "dev_eui": str(asked.dev_eui),
        "dev_nonce": int.from_bytes(asked.dev_nonce, "big"),
    }
    steps = [_requested(asked, nwk or app)]
    if accept is None:
        steps.append(Step("join-accept", None, _unanswered()))
    else:
        answered = _frame(accept)
        if not isinstance(answered, JoinAccept):
            raise Refusal("ACCEPT is no join-accept (17 or 33 bytes, the first of them 20).", exit_code=2)  # fmt: skip
        step, found = _answered(asked, answered, app, nwk)
        steps.append(step)
        if found is not None:
            facts |= said(found)
            keys = _derived(asked, found, app, nwk)
            steps.append(Step("session keys", True, _derivation(found)))
            if uplink is not None:
                steps.append(_first(_frame(uplink), found, keys))
    _print(facts, steps, json=json)
    if any(step.ok is False for step in steps):
        raise typer.Exit(1)


def _frame(text: str | None) -> Frame:
    try:
        return parse(frame(text))
    except FrameError as error:
        raise refused(error) from None


def _requested(request: JoinRequest, root: Key) -> Step:
    """Whether the device has the key that we have."""
    name = "join-request, MIC"
    if root.cmac(request.signed)[:MIC] == request.mic:
        return Step(name, True, "right: the device has this key")
    if root.backwards.cmac(request.signed)[:MIC] == request.mic:
        return Step(name, False, _REVERSE)
    return Step(
        *(name, False),
        "wrong: the device has another root key. Compare it with the device's label, digit by digit; of a device of 1.1 "
        "--nwk-key signs, of one of 1.0 --app-key does.",
    )


def _unanswered() -> str:
    return (
        "none given. If the network sent none: is the DevEUI registered, with this JoinEUI, and is the DevNonce above the "
        "last one? If it sent one and the device did not hear it: is the forwarder's clock right, its region the "
        "device's, and does the answer leave 5 s (RX1) or 6 s (RX2) after the request?"
    )


def _answered(
    request: JoinRequest, answer: JoinAccept, app: Key, nwk: Key | None
) -> tuple[Step, Accept | None]:
    """Whether the answer is to this request, and by this key."""
    name, root = "join-accept, MIC", nwk or app
    for says, one in ((RIGHT, root), (REVERSED, root.backwards), ("the other key", app)):
        accept, mic = join.unseal(one, answer.encrypted)
        if not _signed(request, accept, mic, one):
            continue
        if says is RIGHT:
            return Step(name, True, f"right: an answer of {'1.1' if accept.is_1_1 else '1.0'} by this key"), accept  # fmt: skip
        if says is REVERSED:
            return Step(name, False, _REVERSE), None
        return Step(name, False, "by --app-key, not by --nwk-key: the network holds this device for one of 1.0"), None  # fmt: skip
    return Step(
        *(name, False),
        "wrong: the answer is by another key, or (of 1.1) to another request: its MIC stands for one DevNonce. "
        "Are both frames of the same join, five or six seconds apart?",
    ), None


def _signed(request: JoinRequest, accept: Accept, mic: bytes, root: Key) -> bool:
    if not accept.is_1_1:
        return join.accept_mic(root, accept) == mic
    signs = join.js_int_key(root, request.dev_eui)
    return join.accept_mic_1_1(signs, accept, request.join_eui, request.dev_nonce) == mic


def _derived(request: JoinRequest, accept: Accept, app: Key, nwk: Key | None) -> SessionKeys:
    if accept.is_1_1:
        return join.session_keys_1_1(nwk or app, app, accept.join_nonce, request.join_eui, request.dev_nonce)  # fmt: skip
    return join.session_keys(nwk or app, accept.join_nonce, accept.net_id, request.dev_nonce)


def _derivation(accept: Accept) -> str:
    if accept.is_1_1:
        return "four keys of JoinNonce, JoinEUI and DevNonce (1.1 §6.1.1)"
    return "two keys of JoinNonce, NetID and DevNonce (1.0.4 §6.2.7)"


def _first(data: Frame, accept: Accept, keys: SessionKeys) -> Step:
    """Whether the device speaks in the session that this join began."""
    name = "first uplink, MIC"
    if not isinstance(data, Data) or not data.up:
        return Step(name, False, "this is no uplink with data")
    if data.dev_addr != accept.dev_addr:
        return Step(
            *(name, False),
            f"its DevAddr {data.dev_addr} is not the {accept.dev_addr} of the answer: the device did not take this join. "
            "It may not have heard the answer, or have joined again since.",
        )
    found = judged(data, keys, None)
    if found.says == RIGHT:
        return Step(name, True, f"right with the derived keys, counter {found.f_cnt}")
    return Step(name, False, "wrong with the derived keys: is this frame of the session of another join?")  # fmt: skip


def _print(facts: dict[str, Any], steps: list[Step], *, json: bool) -> None:
    if json:
        screen.document({**facts, "steps": [step._asdict() for step in steps]})
        return
    screen.facts(facts.items())
    marks = {True: "ok", False: "FAILS", None: "?"}
    screen.table(("step", "", "finding"), [(one.step, marks[one.ok], one.says) for one in steps])
