"""`sekisho reconcile`: a ledger of ground truth against what a gateway counted and stored."""

from pathlib import Path
from typing import Annotated, Any

import typer

from gateway.model.errors import Refusal
from sekisho import account, place, screen
from sekisho.place import Config, Json, State
from sekisho.reconciliation import Rules
from sekisho.reconciliation import reconcile as compare
from sekisho.window import ask


def reconcile(
    *,
    ledger: Annotated[
        Path,
        typer.Option(
            "--ledger", metavar="FILE", help="As sekisho simulate --ledger FILE wrote it, whole."
        ),
    ],
    state: State = None,
    config: Config = None,
    json: Json = False,
) -> None:
    """Hold the simulator's ledger against a gateway's account and rows; nothing may be unexplained.

    The oracle says what should have become of each uplink. Where the gateway runs, and has run since the
    ledger began, fates and rows are compared; where it has stopped, rows only. SIM and REPLAY directories.
    Ends with 1 if anything is unexplained: a fate that differs, a row missing, a row too many.

    \b
    sekisho simulate --follow DIR --for 2h --pace 0 --ledger truth.jsonl
    sekisho reconcile --ledger truth.jsonl --state DIR
    """  # noqa: D301 - \b keeps the lines of the example apart
    directory, settings = place.find_state(state, config)
    if directory.mark is None:
        raise Refusal(
            f"{directory.path} holds the real thing: nobody may count there what was masked. Reconcile "
            "directories marked SIM or REPLAY.",
            2,
        )
    if not ledger.is_file():
        raise Refusal(
            f"There is no ledger {ledger}. Write one: sekisho simulate --ledger {ledger}.", 2
        )
    rules = Rules()
    if settings is not None:
        policy = settings.policy
        rules = Rules(policy.in_area, policy.home_radius_m, policy.retain_days)
    running: dict[str, Any] = {}
    now = None
    if place.running(directory):
        (running,) = ask(directory, "terms")
        now = place.clock_of(directory).now()
    result = compare(ledger, running.get("terms"), directory, now, rules)
    in_flight = running.get("in_flight", 0)
    if json:
        screen.document(account.as_json(result, in_flight))
    else:
        account.show(result, in_flight)
        if not running:
            print("  (no gateway runs there: rows were compared, fates are the oracle's)")
    raise typer.Exit(1 if result.unexplained else 0)
