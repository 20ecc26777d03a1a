"""`sekisho reconcile`: a ledger of ground truth against what a gateway counted and stored."""

from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer

from gateway.model.errors import Refusal
from gateway.statedir import StateDir
from sekisho import account, air_account, air_reconciliation, place, screen
from sekisho.place import Config, Json, Keys, State
from sekisho.reconciliation import reconcile as compare
from sekisho.rules_in_force import rules_of
from sekisho.sealed_rows import SealedRows
from sekisho.window import ask, is_answered
from sekisho.witness import testimony
from simulators.ledger import FORMAT


def reconcile(
    *,
    ledger: Annotated[
        Path,
        typer.Option(
            "--ledger", metavar="FILE", help="As sekisho simulate --ledger FILE wrote it, whole."
        ),
    ],
    seen: Annotated[
        Path | None,
        typer.Option(
            "--seen",
            metavar="FILE",
            help="Instead of a gateway: what a subscriber of some broker wrote down, one line an uplink, as "
            "mosquitto_sub -q 1 -t 'sekisho/v1/#' -F '%t %x' prints.",
        ),
    ] = None,
    state: State = None,
    keys: Keys = None,
    config: Config = None,
    json: Json = False,
) -> None:
    """Hold the simulator's ledger against a gateway's account and rows; nothing may be unexplained.

    The oracle says what should have become of each uplink. Where the gateway runs, and has run since the
    ledger began, fates and rows are compared; where it has stopped, rows only. SIM and REPLAY directories.
    Ends with 1 if anything is unexplained: a fate that differs, a row missing, a row too many. Of nodes that
    speak LoRaWAN also every copy, every acknowledgement and every downlink counter.

    \b
    sekisho simulate --follow DIR --for 2h --pace 0 --ledger truth.jsonl
    sekisho reconcile --ledger truth.jsonl --state DIR
    sekisho reconcile --ledger truth.jsonl --seen seen.txt
    """  # noqa: D301 - \b keeps the lines of the example apart
    if not ledger.is_file():
        raise Refusal(
            f"There is no ledger {ledger}. Write one: sekisho simulate --ledger {ledger}.", 2
        )
    head = _head(ledger)
    if seen is not None and "lorawan" in head:
        raise Refusal(
            f"--seen: the nodes of {ledger} spoke LoRaWAN to a gateway's own doors, and no broker's subscriber saw them. "
            "Leave it out, and name --state.",
            2,
        )
    try:
        if seen is not None:
            code = _hear(ledger, seen, json=json)
        elif "lorawan" in head:
            code = _compare_air(ledger, state, config, json=json)
        else:
            code = _compare(ledger, state, keys, config, json=json)
    except msgspec.DecodeError as error:
        raise Refusal(
            f"{ledger} is damaged: one of its lines is not JSON ({error}). Write it anew: sekisho simulate "
            "--ledger FILE.",
            2,
        ) from None
    raise typer.Exit(code)


def _compare(
    ledger: Path, state: Path | None, keys: Path | None, config: Path | None, *, json: bool
) -> int:
    """Print what a gateway counted and stored of a ledger; the exit code."""
    directory, settings = place.find_state(state, config)
    _require_mark(directory)
    rules = rules_of(directory, settings, named=config is not None)
    running: dict[str, Any] = {}
    now = None
    if is_answered(directory):  # what a killed one left behind says that one runs
        (running,) = ask(directory, "terms")
        now = place.clock_of(directory).now()
    sealed = SealedRows.of(directory, settings, keys) if directory.sealed else None
    result = compare(ledger, running.get("terms"), directory, now, rules, sealed)
    in_flight = running.get("in_flight", 0)
    if json:
        screen.document(account.as_json(result, in_flight))
    else:
        account.show(result, in_flight)
        if not running:
            print("  (no gateway runs there: rows were compared, fates are the oracle's)")
    return 1 if result.unexplained else 0


def _compare_air(ledger: Path, state: Path | None, config: Path | None, *, json: bool) -> int:
    """Print what became of nodes that speak LoRaWAN; the exit code."""
    directory, _ = place.find_state(state, config)
    _require_mark(directory)
    radio = next(ask(directory, "radio", misses=True)) if is_answered(directory) else None
    found = air_reconciliation.reconcile(ledger, radio, directory)
    if json:
        screen.document(air_account.as_json(found))
    else:
        air_account.show(found)
    return 1 if found.unexplained else 0


def _require_mark(directory: StateDir) -> None:
    """Refuse the real thing."""
    if directory.mark is None:
        raise Refusal(
            f"{directory.path} holds the real thing: nobody may count there what was masked. Reconcile "
            "directories marked SIM or REPLAY.",
            2,
        )


def _head(path: Path) -> dict[str, Any]:
    """The first line of a ledger; of a file that does not begin as one does nothing is repeated."""
    try:
        with path.open("rb") as file:
            head = msgspec.json.decode(file.readline(1 << 16))
    except OSError as error:
        raise Refusal(f"{path} cannot be read: {error.strerror}.", 2) from None
    except ValueError:
        head = None
    if not isinstance(head, dict) or head.get("sekisho_ledger") != FORMAT:
        raise Refusal(
            f"{path} is not a ledger (its first line names no sekisho_ledger of form {FORMAT}). Write one: "
            "sekisho simulate --ledger FILE.",
            2,
        )
    return head


def _hear(ledger: Path, seen: Path, *, json: bool) -> int:
    """Print what a subscriber saw of a ledger; the exit code."""
    if not seen.is_file():
        raise Refusal(f"There is no file {seen}. Let mosquitto_sub write it.", 2)
    said = testimony(ledger, seen)
    if json:
        screen.document(said._asdict())
    else:
        mark = "✗" if said.missing or said.surplus else "✓"
        print(
            f"{said.sent:,} sent, {said.seen:,} seen: {said.missing:,} missing, {said.surplus:,} too many {mark}"
        )
    return 1 if said.missing or said.surplus else 0
