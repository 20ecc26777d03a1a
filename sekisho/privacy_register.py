"""`sekisho privacy register`: file register, annex to an assessment, and a page for parents, from the configuration."""

from pathlib import Path
from typing import Annotated, cast, get_args

import typer

from gateway.model.errors import Refusal
from gateway.settings.load import load_settings
from gateway.statedir import write_durably
from sekisho import place, screen
from sekisho.place import DEFAULT_CONFIG, Json, Quiet
from sekisho.register_pages import Facts, Part, page
from sekisho.register_words import Language


def register(
    config: Annotated[Path, typer.Argument(metavar="CONFIG")] = DEFAULT_CONFIG,
    *,
    part: Annotated[
        str, typer.Option(metavar="|".join(get_args(Part)), help="Which of them. Default: all.")
    ] = "",
    language: Annotated[str, typer.Option(metavar="|".join(get_args(Language)))] = "en",
    out: Annotated[
        Path | None, typer.Option("--out", "-o", metavar="FILE.md", help="Write it there.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace a file that is there.")] = False,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Print what the running rules mean for people, as a city files and tells it.

    A file register, an annex to a privacy impact assessment, and one page for a
    parents' evening, in Markdown. Nothing is invented: what the configuration
    does not say stays a marked blank.
    """
    parts = [part] if part else list(get_args(Part))
    if language not in get_args(Language) or any(one not in get_args(Part) for one in parts):
        known = f"--part {', '.join(get_args(Part))}; --language {', '.join(get_args(Language))}."
        raise Refusal(f"There are {known}", exit_code=2)
    target = None if out is None else place.replaceable("--out", out, force=force)
    settings = load_settings(config)
    facts = Facts(settings.rules, settings.owner, settings.policy.ruleset)
    pages = {one: page(facts, cast(Part, one), cast(Language, language)) for one in parts}
    text = "\n".join(pages.values())
    if target is not None:
        try:
            write_durably(target, text.encode(), 0o644)
        except OSError as error:
            raise Refusal(f"{out} cannot be written: {error.strerror}.") from error
    if json:
        screen.document(pages)
    elif target is None:
        print(text, end="")
    elif not quiet:
        print(f"{out}  {screen.count(len(parts), 'part')}")
