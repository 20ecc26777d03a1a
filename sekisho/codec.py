"""`sekisho codec`: who can decode what, and whether a vendor's JavaScript does here what it does at home."""

import asyncio
import sys
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import typer

from gateway.clock import SystemClock
from gateway.devices.shelf import shelf
from gateway.model.errors import Refusal
from gateway.scripts.conduct import Conduct
from gateway.scripts.workshop import Workshop
from gateway.settings.load import load_settings
from gateway.telemetry import Facts
from sekisho import chirpstack_profiles, place, screen
from sekisho.bar import Bar
from sekisho.device_repository import Repository, read_repository
from sekisho.place import Config, Json, Quiet
from sekisho.scripts import need_engine, text_of
from sekisho.vendor_examples import Codec, difference, examples

app = typer.Typer(add_completion=False, no_args_is_help=True, rich_markup_mode="rich")


class Result(NamedTuple):
    """What became of one codec's examples: how many are equal, and what is not, by example."""

    equal: int = 0
    different: tuple[tuple[str, str], ...] = ()


@app.callback()
def codec() -> None:
    """List codecs, and try a vendor's JavaScript on the vendor's own examples."""


@app.command("list")
def list_(*, config: Config = None, json: Json = False) -> None:
    """Show every codec that a device may name: products, and what the configuration declares."""
    declared = _declared(config)
    rows = [(name, one.title, ", ".join(one.kinds)) for name, one in shelf().items()] + declared
    if json:
        keys = ("codec", "is", "fills")
        screen.document([dict(zip(keys, row, strict=True)) for row in rows])
    else:
        screen.table(("codec", "is", "fills"), rows)


@app.command("test")
def examine(
    script: Annotated[
        Path | None,
        typer.Argument(metavar="FILE.js", help="The vendor's codec.", show_default=False),
    ] = None,
    *,
    examples_file: Annotated[
        Path | None,
        typer.Option(
            "--examples",
            metavar="FILE",
            help="The vendor's examples: a codec's YAML of The Things Network, or a list as ChirpStack's "
            "device profiles keep it.",
        ),
    ] = None,
    repository: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="A checked-out repository of devices, The Things Network's (vendor/) or ChirpStack's "
            "(vendors/): every codec in it.",
        ),
    ] = None,
    strict: Annotated[
        bool, typer.Option("--strict", help="Exit code 1 if an example differs.")
    ] = False,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Run a vendor's JavaScript on the vendor's own examples, within the limits that the gateway sets it.

    Numbers are equal to nine digits, everything else to the letter.
    """
    need_engine()
    if (repository is None) == (script is None or examples_file is None):
        raise Refusal("Give FILE.js with --examples FILE, or --repository DIR alone.", exit_code=2)
    try:
        if repository is not None:
            theirs = (repository / chirpstack_profiles.FOLDER).is_dir()
            found = (chirpstack_profiles.read_profiles if theirs else read_repository)(repository)
            results = asyncio.run(_run(found.codecs, quiet=json or quiet))
            _report(found, results, json=json, quiet=quiet)
        else:
            assert script is not None
            assert examples_file is not None
            one = Codec(examples_file, script, examples(examples_file))
            results = asyncio.run(_run({script.name: one}, quiet=True))
            _tell(script, results[script.name], json=json, quiet=quiet)
    except ValueError as error:
        raise Refusal(str(error), exit_code=2) from None
    if strict and any(result.different for result in results.values()):
        raise typer.Exit(1)


async def _run(codecs: dict[str, Codec], *, quiet: bool) -> dict[str, Result]:
    """Every example of every codec, each at the codec's own warm context, in order."""
    scripts = {name: _conduct(name, codec) for name, codec in codecs.items()}
    shop = Workshop((one for one in scripts.values() if one is not None), Facts(), SystemClock())
    results = {}
    await shop.open()
    try:
        with Bar(sys.stderr, quiet=quiet) as bar:
            for done, (name, codec) in enumerate(codecs.items()):
                bar.move(done, len(codecs), "codecs", name)
                conduct = scripts[name]
                if conduct is not None:
                    results[name] = await _tried(shop, conduct, codec)
                elif codec.examples:
                    sentence = f"{codec.script} is not there, or is no text."
                    results[name] = Result(0, tuple((one.name, sentence) for one in codec.examples))
    finally:
        await shop.close()
    return results


async def _tried(shop: Workshop, conduct: Conduct, codec: Codec) -> Result:
    equal, different = 0, []
    for example in codec.examples:
        at = SystemClock().now() // 1000 if example.received_ms is None else example.received_ms
        answer = await shop.ask(str(conduct.file), example.f_port, example.data, at)
        found = difference(example, answer)
        if found is None:
            equal += 1
        else:
            different.append((example.name, found))
    return Result(equal, tuple(different))


def _conduct(name: str, codec: Codec) -> Conduct | None:
    """The codec's script, under its own name: two codecs of one file have a context each."""
    if codec.script is None:
        return None
    try:
        return Conduct(Path(name), text_of(codec.script))
    except ValueError:
        return None


def _tell(script: Path, result: Result, *, json: bool, quiet: bool) -> None:
    if json:
        screen.document(_as_json(result))
        return
    for name, why in result.different:
        print(f"different  {name}: {why}")
    if not quiet:
        total = result.equal + len(result.different)
        print(f"{script.name}: {result.equal} of {screen.count(total, 'example')} equal")


def _report(
    found: Repository, results: dict[str, Result], *, json: bool, quiet: bool
) -> None:  # fmt: skip
    equal = sum(result.equal for result in results.values())
    different = sum(len(result.different) for result in results.values())
    without = sum(not codecs for codecs in found.devices.values())
    totals = {
        "devices": len(found.devices),
        "without_codec": without,
        "codecs": len(found.codecs),
        "examples": equal + different,
        "equal": equal,
        "different": different,
    }
    if json:
        codecs = {name: _as_json(result) for name, result in results.items()}
        screen.document(
            {**totals, "codecs": codecs, "by_device": found.devices, "unread": found.unread}
        )
        return
    if not quiet:
        screen.table(
            ("device", "codec", "equal", "different"),
            [row for name, codecs in found.devices.items() for row in _rows(name, codecs, results)],
        )
    for name, result in results.items():
        for example, why in result.different:
            print(f"different  {name}  {example}: {why}")
    for sentence in found.unread:
        screen.warn(sentence)
    print(
        f"{screen.count(totals['devices'], 'device')}, {without} without a codec · "
        f"{screen.count(len(found.codecs), 'codec')} · {equal} of {screen.count(equal + different, 'example')} "
        f"equal, {different} different"
    )


def _rows(
    device: str, codecs: list[str], results: dict[str, Result]
) -> list[tuple[str, str, int | None, int | None]]:  # fmt: skip
    """One line for each codec of a device."""
    if not codecs:
        return [(device, "no codec", None, None)]
    found = ((name, results.get(name, Result())) for name in codecs)
    return [(device, name.partition("/")[2], one.equal, len(one.different)) for name, one in found]


def _as_json(result: Result) -> dict[str, Any]:
    return {
        "equal": result.equal,
        "different": [{"example": name, "why": why} for name, why in result.different],
    }


def _declared(config: Path | None) -> list[tuple[str, str, str]]:
    """Codecs of the configuration, where there is one."""
    path = config or place.DEFAULT_CONFIG
    if config is None and not path.exists():
        return []
    return [
        (one.codec.name, str(one.script or one.file), one.codec.kind)
        for one in load_settings(path).codecs
    ]
