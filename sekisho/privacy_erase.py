"""`sekisho privacy erase`: a household leaves, and what of it is sealed becomes noise in every copy."""

import json as jsonlib
import sqlite3
import sys
from collections import Counter
from pathlib import Path
from typing import Annotated, Any

import typer

from gateway.app import erasing, erasure_proof
from gateway.app.erasing import Planned
from gateway.app.erasure import Erasure
from gateway.app.erasure_proof import NOBODY_CAN_TELL, gone, in_clear, nobodys, not_tried, readable
from gateway.model.errors import Refusal
from gateway.model.instant import Instant
from gateway.privacy.keysource import KeysUnavailable
from gateway.registry.registry import Registry
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
    only_copies: Annotated[
        bool,
        typer.Option(
            "--only-copies",
            help="Erase nothing: try copies that were found since for what was erased of it before, whoever bears its name now.",
        ),
    ] = False,
    state: State = None,
    keys: Keys = None,
    config: Config = None,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Destroy a household's key, home and consents, silence its devices, and prove it.

    What is sealed under the key cannot be read by anybody any more, in whatever copy. Siblings share their
    household's key: all of them leave. Numbers that were counted stay. Cut off, it goes on when it is called
    again, or when the gateway starts. A copy that is found later is tried with --only-copies --backup.
    """
    here = place.find(state, keys, config)
    copies = tuple(backup or ())
    now = here.clock.now()
    if only_copies and not copies:
        raise Refusal("--only-copies: which? Name each with --backup DIR.", exit_code=2)
    try:
        with here.registry() as registry:
            where = here.state, here.keys, registry
            planned = erasing.planned(*where, household, copies, now, only_copies=only_copies)
            if not only_copies and erasing.is_to_be_asked(*where, household):
                _ask(here, household, planned, yes=yes)
            files = _carry_out(here, registry, planned, now)
    except (OSError, sqlite3.Error, KeysUnavailable) as error:
        if only_copies:
            raise Refusal(
                f"The copies could not be tried ({type(error).__name__}), and nothing was erased. Call it again when "
                "the disk and the keys can be reached."
            ) from error
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


def _carry_out(here: Place, registry: Registry, planned: Planned, now: Instant) -> list[Path]:
    """Do it, each thing noted in the access log before; the proofs."""
    files = []
    where = here.state, here.keys, registry
    for erasure in planned.erasures:
        proved = erasure_proof.earlier(here.state, erasure.household)
        again = erasure.key_id in {one["key"]["id"] for one in proved} - {None}
        _note(here, erasure, _TRIED if again else _LEAVES)
        erasing.begin(here.state, erasure)
        files.append(erasing.carry_out(*where, erasure, now, lambda: follow(here.state)))
    for erasure in planned.copies:
        _note(here, erasure, _TRIED)
        files.append(erasing.try_copies(*where, erasure, now))
    return files


def _note(here: Place, erasure: Erasure, why: str) -> None:
    rows = erasure_proof.rows(here.state, here.keys, erasure)
    looking.note(here.state, here.keys, "erase", why, rows=rows)


def _ask(here: Place, household: str, planned: Planned, *, yes: bool) -> None:
    """Say what goes, and take no for an answer; --yes stands for one family, not for another of its name."""
    since = planned.back_since
    waits_or_copies = len(planned.erasures) > 1 or planned.copies
    if yes and not (since and waits_or_copies):
        return
    if yes:
        raise Refusal(
            f"A household {household} was erased on {since}, and one was registered again since: it would be erased, "
            "too, and is not unasked. To try copies of the one that left: --only-copies. What was cut off a start of the "
            "gateway finishes, and leaves this one alone. If this one is to leave, too: without --yes.",
            exit_code=2,
        )
    with here.registry() as registry:
        held = registry.families.held(household)
    names = ", ".join(row.device for row in held.devices) or "none"
    lanes = Counter(one.purpose for one in held.consents if one.withdrawn_at is None)
    if since:
        print(f"One of this name was erased on {since}; this one was registered again since.")
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
    state = "destroyed" if proof["key"]["destroyed"] else "THERE AGAIN"
    screen.facts(
        [
            ("household", proof["household"]),
            ("key", f"{key[:16]}…  {state}" if key else "it had none"),
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
