"""`sekisho privacy erase`: a household leaves, and what of it is sealed becomes noise in every copy."""

import json as jsonlib
import sqlite3
import sys
from collections import Counter
from pathlib import Path
from typing import Annotated, Any

import typer

from gateway.app import erasing, erasure_proof
from gateway.app.erasure_proof import NOBODY_CAN_TELL, gone, in_clear, nobodys, not_tried, readable
from gateway.model.errors import Refusal
from gateway.privacy.keysource import KeysUnavailable
from sekisho import looking, place, screen
from sekisho.following import follow
from sekisho.place import Config, Json, Keys, Place, Quiet, State

_LEAVES, _TRIED = "a family leaves", "copies of a family that left are tried"
_CAME_BACK = "a household of this name was registered since, under another key: it was left alone"

Household = Annotated[
    str, typer.Argument(metavar="HOUSEHOLD", show_default=False, help="Its name in the registry.")
]


def erase(
    household: Household,
    *,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    backup: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="DIR",
            help="A copy of the state directory: everything of the household in it is tried, too. Again for more.",
        ),
    ] = None,
    state: State = None,
    keys: Keys = None,
    config: Config = None,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Destroy a household's key, home and consents, silence its devices, and prove it.

    What is sealed under the key cannot be read by anybody any more, in whatever copy. Siblings share their
    household's key: all of them leave. Numbers that were counted stay. Cut off, it goes on when it is called
    again, or when the gateway starts. A copy that is found later is tried by calling it again with --backup.
    """
    here = place.find(state, keys, config)
    copies = tuple(backup or ())
    now = here.clock.now()
    try:
        with here.registry() as registry:
            planned = erasing.planned(here.state, here.keys, registry, household, copies, now)
            if not yes and erasing.is_to_be_asked(here.state, here.keys, registry, household):
                _ask(here, household)
            files = []
            proved = {one["key"]["id"] for one in erasure_proof.earlier(here.state, household)}
            for erasure in planned:
                there = erasure_proof.rows(here.state, here.keys, erasure)
                again = erasure.key_id is not None and erasure.key_id in proved
                looking.note(
                    *(here.state, here.keys, "erase", _TRIED if again else _LEAVES), rows=there
                )
                erasing.begin(here.state, erasure)
                files.append(
                    erasing.carry_out(
                        *(here.state, here.keys, registry, erasure, now),
                        lambda: follow(here.state),
                    )
                )
    except (OSError, sqlite3.Error, KeysUnavailable) as error:
        raise Refusal(
            f"The erasure was begun and could not be finished ({type(error).__name__}). Call it again when the "
            "disk and the keys can be reached; a gateway that starts on this directory finishes it, too."
        ) from error
    proofs: dict[Path, dict[str, Any]] = {file: jsonlib.loads(file.read_bytes()) for file in files}
    first, *further = ({"proof": str(file), **proof} for file, proof in proofs.items())
    if json:
        screen.document({**first, "further": further} if further else first)
    elif not quiet:
        for file, proof in proofs.items():
            _tell(proof, file)
    if any(readable(proof) or not_tried(proof) for proof in proofs.values()):
        raise typer.Exit(1)


def _ask(here: Place, household: str) -> None:
    """Say what goes, and take no for an answer."""
    with here.registry() as registry:
        held = registry.families.held(household)
    names = ", ".join(row.device for row in held.devices) or "none"
    lanes = Counter(one.purpose for one in held.consents if one.withdrawn_at is None)
    print(
        f"Household {household} leaves: home {'known' if held.home else 'unknown'}; devices {names}; consents "
        f"{', '.join(sorted(lanes)) or 'none'}.\nIts key is destroyed: no row of it can be read again, by anybody. Nothing brings it back."
    )
    if not sys.stdin.isatty():
        raise Refusal("Nobody is there to be asked. If it is meant: --yes.", exit_code=2)
    if input("Erase it? [y/N] ").strip().lower() not in ("y", "yes"):
        raise Refusal("Nothing was erased.")


def _tell(proof: dict[str, Any], file: Path) -> None:
    left = readable(proof)
    key = proof["key"]["id"]
    screen.facts(
        [
            ("household", proof["household"]),
            ("key", f"{key[:16]}…  destroyed" if key else "it had none"),
            ("devices", ", ".join(proof["devices"]) or None),
            ("rows", gone(proof)),
            *(("copy", _of_copy(copy)) for copy in proof["copies"] if not copy["not_tried"]),
            ("copies not tried", " ".join(not_tried(proof).values()) or None),
            *(("destroy", _of_export(one)) for one in proof["exports"]),
            (
                "left",
                f"{left:,} that can still be read: see the proof"
                if left
                else "no row that bears its name, and no home",
            ),
            ("came back", _CAME_BACK if proof["came_back"] else None),
            ("not known", nobodys(proof)),
            ("in clear", in_clear(proof)),
            ("not reached", "; ".join(NOBODY_CAN_TELL)),
            ("proof", file),
        ]
    )


def _of_export(export: dict[str, Any]) -> str:
    return (
        f"export {export['number']} of the keys, made {export['made_at']}: it still holds this key"
    )


def _of_copy(copy: dict[str, Any]) -> str:
    theirs = sum(file["theirs"] or 0 for file in copy["files"])
    opened = sum(file["readable"] for file in copy["files"]) + copy["registry"]["readable"]
    keys = "; ITS KEYS LIE BESIDE IT" if copy["keys_beside"] else ""
    return f"{copy['directory']}: {theirs:,} rows of it, {opened:,} can be read{keys}"
