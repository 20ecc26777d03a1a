"""The one command: finds the verb, and turns refusals into sentences and exit codes."""

import sys
from importlib import import_module
from inspect import cleandoc
from typing import Annotated, Any

import typer
from typer.core import TyperCommand, TyperGroup

from gateway.model.errors import Refusal
from gateway.registry.words import nearest

_VERBS = {
    "demo": "A town in a box: gateway, simulator and a live ledger.",
    "init": "Make a gateway of your own: settings, keys, certificate, service.",
    "run": "Run the gateway.",
    "simulate": "Send what a fictional town's devices would send.",
    "reconcile": "Hold a ledger of ground truth against what was stored.",
    "replay": "Send recorded uplinks again, in their own time or faster.",
    "record": "Write a cassette of what arrives, for a bug report.",
    "check": "Check a configuration and its examples; starts nothing.",
    "privacy": "Try the rules on a way of your own.",
    "doctor": "Find out why nothing arrives.",
    "decode": "Show what one payload says.",
    "codec": "List codecs, and try a vendor's on the vendor's examples.",
    "lorawan": "Look at LoRaWAN frames on the bench.",
    "devices": "Register devices, homes and consents.",
    "guardian": "Tell guardians' devices where their own child is.",
    "command": "Say something to a device.",
    "downlink": "Say something to a LoRaWAN device.",
    "keys": "Make the keys of a state directory, and look after them.",
    "tail": "Watch uplinks come in.",
    "query": "Read stored rows.",
    "export": "Write rows into a file for a spreadsheet, a map or an analysis.",
    "snapshot": "Copy the rows for other readers.",
    "backup": "Copy a whole state directory.",
    "restore": "Make a state directory of a backup.",
    "release": "Look at what was counted, agree to it, and hand it out.",
}
"""Verb → its line in the list; `sekisho/<verb>.py` holds it, as `<verb>` or, with verbs below, `app`."""

_EPILOG = "Exit: 0 done, 1 failed, 2 usage or settings, 3 work left, 130 interrupted"
"""1: refused or failed. 3: a stop took longer than its deadline. 130: interrupted from the keyboard."""


class Verbs(TyperGroup):
    """The verbs, each imported only when it or its help is asked for."""

    def list_commands(self, ctx: typer.Context) -> list[str]:  # type: ignore[override]
        """The verbs, in the order of a first day with Sekisho."""
        del ctx
        return list(_VERBS)

    def get_command(self, ctx: typer.Context, cmd_name: str) -> Any:  # type: ignore[override]
        """A verb's line for the list; nothing of it is imported yet."""
        del ctx
        if cmd_name not in _VERBS:
            return None
        line = _VERBS[cmd_name]
        return TyperCommand(cmd_name, help=line, short_help=line, rich_markup_mode=None)

    def resolve_command(self, ctx: typer.Context, args: list[str]) -> Any:  # type: ignore[override]
        """The verb itself, once it is meant."""
        name, *rest = args
        if name not in _VERBS:
            if ctx.resilient_parsing:  # a shell asks for completions of a word that is no verb
                return None, None, rest
            hint = nearest(name, list(_VERBS), unless=" sekisho --help lists them.")
            raise Refusal(f'No verb "{name}".{hint}', exit_code=2)
        return name, _load(name), rest


def _load(verb: str) -> Any:
    try:
        module = import_module(f"sekisho.{verb}")
    except ModuleNotFoundError as error:
        if error.name != f"sekisho.{verb}":
            raise
        raise Refusal(f"sekisho {verb} is not part of this installation.") from None
    app = getattr(module, "app", None)
    if app is None:
        app = typer.Typer(add_completion=False)
        app.command(verb)(getattr(module, verb))
    command = typer.main.get_command(app)
    command.name = verb
    for one in (command, *getattr(command, "commands", {}).values()):
        one.help = _flowing(one.help or "")
    return command


def _flowing(text: str) -> str:
    """Help whose paragraphs break where the screen ends, but for those behind a backspace."""
    paragraphs = cleandoc(text).split("\n\n")
    return "\n\n".join(p if p[:1] == "\b" else " ".join(p.split()) for p in paragraphs)


app = typer.Typer(
    cls=Verbs,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    epilog=_EPILOG,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(wanted: bool) -> None:
    """Print the number and end, where it is asked for."""
    if wanted:
        from importlib.metadata import PackageNotFoundError, version

        try:
            number = version("sekisho")
        except PackageNotFoundError:
            number = "from a checkout that is not installed"
        print(f"sekisho {number}")
        raise typer.Exit


@app.callback(invoke_without_command=True)
def sekisho(
    *,
    version: Annotated[
        bool,
        typer.Option("--version", callback=_version, is_eager=True, help="Print the version."),
    ] = False,
) -> None:
    """A checkpoint for a city's sensors: uplinks in, masks first, rows out."""
    del version


def main() -> None:
    """Run one verb; a refusal is printed as it stands and ends with its exit code."""
    try:
        app(prog_name="sekisho")
    except Refusal as refusal:
        print(refusal, file=sys.stderr)
        sys.exit(refusal.exit_code)
    except PermissionError as error:
        print(
            f"{error.filename or 'A file'} belongs to another user. Run this as its owner.",
            file=sys.stderr,
        )
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()
