"""`sekisho privacy proof`: whether a proof of an erasure is what this directory's keys signed."""

import json as jsonlib
from pathlib import Path
from typing import Annotated, Any

import typer

from gateway.app.erasure_proof import FORM, gone, in_clear, is_genuine, nobodys, not_tried, readable
from gateway.model.errors import Refusal
from sekisho import place, screen
from sekisho.place import Config, Json, Keys, State


def proof(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="As privacy erase wrote it.")],
    *,
    key: Annotated[
        str | None,
        typer.Option(
            metavar="HEX",
            show_default=False,
            help="The public key that must have signed it. Default: that of the state directory's keys.",
        ),
    ] = None,
    state: State = None,
    keys: Keys = None,
    config: Config = None,
    json: Json = False,
) -> None:
    """Check the signature of a proof, and say what it proves."""
    said = _read(file)
    wanted = key.lower() if key else place.find(state, keys, config).keys.signer.public
    ours = said["signed_by"] == wanted
    if not is_genuine(said):
        raise Refusal(f"{file}: FALSE. It is not what was signed: somebody changed it.")
    left, unknown = readable(said), not_tried(said)
    if json:
        screen.document(
            {
                "genuine": True,
                "ours": ours,
                "readable": left,
                "in_clear": in_clear(said),
                "not_tried": unknown,
            }
        )
    else:
        screen.facts(
            [
                ("household", said["household"]),
                ("erased", said["finished_at"]),
                ("key", said["key"]["id"]),
                ("rows", gone(said)),
                (
                    "left",
                    f"{left:,} that could still be read"
                    if left
                    else "no row that bears its name, and no home",
                ),
                ("copies not tried", " ".join(unknown.values()) or None),
                ("not known", nobodys(said)),
                ("in clear", in_clear(said)),
                ("signature", "genuine" if ours else "genuine, but of ANOTHER key than this one"),
            ]
        )
    if left or unknown or not ours:
        raise typer.Exit(1)


def _read(file: Path) -> dict[str, Any]:
    try:
        said = jsonlib.loads(file.read_bytes())
    except OSError as error:
        raise Refusal(f"{file} cannot be read: {error.strerror}.") from None
    except ValueError:
        said = None
    if not isinstance(said, dict) or said.get("sekisho_erasure") != FORM:
        raise Refusal(f"{file} is no proof of an erasure (form {FORM}).", exit_code=2)
    return said
