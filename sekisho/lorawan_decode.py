"""`sekisho lorawan decode`: every part of one frame, and with keys whether it is right and what it says."""

from typing import Annotated, Any

import typer

from gateway.wire.lorawan import join
from gateway.wire.lorawan.commands import commands
from gateway.wire.lorawan.crypto import DOWN, UP, Key
from gateway.wire.lorawan.frames import (
    MIC,
    Data,
    FrameError,
    JoinAccept,
    JoinRequest,
    Proprietary,
    RejoinRequest,
    parse,
)
from gateway.wire.lorawan.join import SessionKeys
from gateway.wire.lorawan.secured import opened
from sekisho import screen
from sekisho.lorawan_input import (
    AppKey,
    AppSKey,
    NwkKey,
    NwkSEncKey,
    NwkSKey,
    SNwkSIntKey,
    frame,
    key,
    refused,
    session,
)
from sekisho.lorawan_mic import REVERSED, RIGHT, WRONG, Verdict, judged
from sekisho.place import Json

Facts = dict[str, Any]


def decode(
    phy: Annotated[
        str | None,
        typer.Argument(
            metavar="FRAME|-",
            show_default=False,
            help="A PHYPayload in hex digits or base64; - reads standard input.",
        ),
    ] = None,
    *,
    nwk_s_key: NwkSKey = None,
    app_s_key: AppSKey = None,
    s_nwk_s_int_key: SNwkSIntKey = None,
    nwk_s_enc_key: NwkSEncKey = None,
    app_key: AppKey = None,
    nwk_key: NwkKey = None,
    f_cnt: Annotated[
        int | None,
        typer.Option(
            min=0,
            max=(1 << 32) - 1,
            show_default=False,
            help="All 32 bits of the counter; without it the first 256 roll-overs of its 16 bits are tried.",
        ),
    ] = None,
    conf_f_cnt: Annotated[
        int, typer.Option(min=0, max=65535, help="Of 1.1: the counter that an ACK stands for.")
    ] = 0,
    json: Json = False,
) -> None:
    """Name every part of one LoRaWAN frame; with keys check its MIC and decrypt it.

    Where the MIC is wrong, the key is tried with its bytes reversed (a usual mistake) and the result says so. Exit code 1 if
    no key makes the MIC right. Keys are never shown.
    """  # fmt: skip
    raw = frame(phy)
    try:
        parsed = parse(raw)
    except FrameError as error:
        raise refused(error) from None
    root = key(nwk_key, "--nwk-key") or key(app_key, "--app-key")
    if isinstance(parsed, Data):
        keys = session(
            *(key(nwk_s_key, "--nwk-s-key"), key(app_s_key, "--app-s-key")),
            *(key(s_nwk_s_int_key, "--s-nwk-s-int-key"), key(nwk_s_enc_key, "--nwk-s-enc-key")),
        )
        facts = _data(parsed, keys, f_cnt, conf_f_cnt, knows_app=app_s_key is not None, checks=nwk_s_key is not None)  # fmt: skip
    else:
        facts = _joining(parsed, root)
    if json:
        screen.document(facts)
    else:
        screen.facts([(name, _shown(value)) for name, value in facts.items()])
    if str(facts.get("mic_is", RIGHT)) == WRONG:
        raise typer.Exit(1)


def _data(
    data: Data,
    keys: SessionKeys | None,
    f_cnt: int | None,
    conf_f_cnt: int,
    *,
    knows_app: bool,
    checks: bool,
) -> Facts:
    bits = {"ADR": data.adr, "ADRACKReq": data.adr_ack_req, "ACK": data.ack}
    bits["ClassB" if data.up else "FPending"] = data.bit_4
    facts: Facts = {
        "type": data.mtype.name.lower().replace("_", " "),
        "dev_addr": str(data.dev_addr),
        "f_ctrl": " ".join(name for name, is_set in bits.items() if is_set) or "none set",
        "f_cnt": data.f_cnt,
        "f_opts": data.f_opts.hex() or None,
        "f_port": data.f_port,
        "frm_payload": data.frm_payload.hex() or None,
        "mic": data.mic.hex(),
    }
    direction = UP if data.up else DOWN
    if keys is None:
        if data.f_opts:
            facts["commands"] = _commands(data.f_opts, direction)
        facts["next"] = "give --nwk-s-key to check the MIC, --app-s-key to decrypt the payload"
        return facts
    found = Verdict("not checked: --nwk-s-key was not given", keys, f_cnt or data.f_cnt)
    if checks:
        found = judged(data, keys, f_cnt, conf_f_cnt)
        facts["f_cnt"] = found.f_cnt if found.keys else data.f_cnt
    facts["mic_is"] = found.says
    if found.keys is None:
        facts["next"] = (
            "another key, another device's frame, another direction, or a frame of the session before its last join: "
            "compare the DevAddr with the server's, then the keys"
        )
        return facts
    if found.says == REVERSED:
        facts["next"] = "reverse the keys where they were registered, the AppSKey probably too"
    plain = opened(found.keys, data, found.f_cnt)
    if plain.commands and checks:
        facts["commands"] = _commands(plain.commands, direction)
    if data.f_port and knows_app:
        facts["payload"] = plain.payload.hex()
    return facts


def _joining(
    parsed: JoinRequest | JoinAccept | RejoinRequest | Proprietary, root: Key | None
) -> Facts:
    if isinstance(parsed, Proprietary):
        return {"type": "proprietary", "body": parsed.body.hex()}
    if isinstance(parsed, JoinRequest):
        return {
            "type": "join-request",
            "join_eui": str(parsed.join_eui),
            "dev_eui": str(parsed.dev_eui),
            "dev_nonce": int.from_bytes(parsed.dev_nonce, "big"),
            "mic": parsed.mic.hex(),
            **_root_verdict(root, parsed),
        }
    if isinstance(parsed, RejoinRequest):
        return {
            "type": f"rejoin-request {parsed.sort}",
            "dev_eui": str(parsed.dev_eui),
            "rj_count": parsed.count,
            "mic": parsed.mic.hex(),
            "next": "rejoins are refused here: the device has to send a join-request",
        }
    return _accept(parsed, root)


def _root_verdict(root: Key | None, request: JoinRequest) -> Facts:
    if root is None:
        return {"next": "give --app-key (of 1.1 --nwk-key) to check the MIC"}
    for says, one in ((RIGHT, root), (REVERSED, root.backwards)):
        if one.cmac(request.signed)[:MIC] == request.mic:
            return {"mic_is": says}
    return {"mic_is": WRONG, "next": "another root key: compare it with the device's, digit by digit"}  # fmt: skip


def _accept(parsed: JoinAccept, root: Key | None) -> Facts:
    if root is None:
        return {
            "type": "join-accept",
            "encrypted": parsed.encrypted.hex(),
            "next": "give --app-key (of 1.1 --nwk-key) to decrypt it",
        }
    for says, one in ((RIGHT, root), (REVERSED, root.backwards)):
        accept, mic = join.unseal(one, parsed.encrypted)
        if join.accept_mic(one, accept) == mic:
            return {"type": "join-accept", **said(accept), "mic": mic.hex(), "mic_is": says}
    return {
        "type": "join-accept",
        "mic_is": WRONG,
        "next": "another root key; or an answer of 1.1, whose MIC needs its join-request: sekisho lorawan join-trace",
    }


def said(accept: join.Accept) -> Facts:
    """What a join-accept says, by name."""
    freqs = [int.from_bytes(accept.cf_list[n : n + 3], "little") * 100 for n in range(0, 15, 3)]
    sort = accept.cf_list[-1] if accept.cf_list else None
    channels = {
        None: None,
        0: " ".join(f"{hz / 1e6:g}" for hz in freqs if hz) + " MHz",
        1: f"masks {accept.cf_list[:10].hex()}",
    }
    return {
        "version": "1.1" if accept.is_1_1 else "1.0",
        "join_nonce": int.from_bytes(accept.join_nonce, "big"),
        "net_id": str(accept.net_id),
        "dev_addr": str(accept.dev_addr),
        "rx1_dr_offset": accept.dl_settings >> 4 & 7,
        "rx2_dr": accept.dl_settings & 0xF,
        "rx_delay_s": accept.rx_delay or 1,
        "cf_list": channels.get(sort, f"of unknown type {sort}"),
    }


def _commands(data: bytes, direction: int) -> list[str]:
    """MAC commands by name, with their bytes; what is not understood at the end."""
    known, rest = commands(data, direction)
    named = [f"{one.cid.name.lower()} {one.payload.hex()}".strip() for one in known]
    return named + ([f"unknown {rest.hex()}"] if rest else [])


def _shown(value: Any) -> Any:
    return ", ".join(value) if isinstance(value, list) else value
