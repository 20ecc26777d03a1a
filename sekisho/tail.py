"""`sekisho tail`: what is stored, as it is stored."""

import json as jsonlib
from datetime import tzinfo
from typing import Annotated, Any

import typer

from gateway.devices.catalog import catalog
from gateway.model.errors import Refusal
from gateway.model.instant import Instant, to_datetime
from sekisho import completion, facts, place, screen
from sekisho.place import Config, Json, State
from sekisho.window import ask

_TIMES = {"observed_at", "received_at", "minute"}


def tail(
    kind: Annotated[
        str | None,
        typer.Argument(
            help="Only this kind, or the beginning of its name.", autocompletion=completion.kinds
        ),
    ] = None,
    *,
    state: State = None,
    config: Config = None,
    limit: Annotated[
        int, typer.Option("--limit", "-n", min=0, help="Stop after so many rows; 0 = never.")
    ] = 0,
    json: Json = False,
) -> None:
    """Watch rows as they are stored: masked, newest last, until Ctrl-C or until the gateway goes (exit code 1).

    Rows about people are shown in SIM and REPLAY directories only: elsewhere a row that appears
    would say that its child is not at home.
    """
    directory, settings = place.find_state(state, config)
    wanted = None if kind is None else facts.beginning(kind)
    zone = place.zone_of(settings)
    if directory.mark is None and wanted is not None and wanted.personal:
        raise Refusal(
            f"Rows of {wanted.name} are about people and are not shown as they come: one that appears would "
            f"say that its child is not at home. What is stored: sekisho query {kind} --personal."
        )
    if directory.mark is None:
        screen.warn("Rows about people are not shown here: only things of the city.")
    width = max(map(len, catalog()))
    seen = 0
    for row in ask(directory, "tail"):
        if wanted is not None and row["kind"] != wanted.name:
            continue
        if json:
            print(jsonlib.dumps(row), flush=True)
        else:
            at = row["observed_at"] if "observed_at" in row else row["minute"]
            print(f"{_time(at, zone)}  {row['kind']:<{width}} {_said(row)}", flush=True)
        seen += 1
        if seen == limit:
            return
    raise Refusal("The gateway has gone.")


def _time(at: Instant, zone: tzinfo) -> str:
    return to_datetime(at, zone).isoformat(" ", "seconds")


def _said(row: dict[str, Any]) -> str:
    """The row's own columns, without what is empty."""
    return "  ".join(
        f"{name}={value[:8] if name in ('pseudonym', 'tag') else value}"
        for name, value in row.items()
        if value is not None and name not in _TIMES and name not in ("kind", "counter", "late")
    )
