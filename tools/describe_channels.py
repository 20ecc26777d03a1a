"""Writes `docs/privacy/channels.md` from the tests that carry the marker `channel`.

    python -m tools.describe_channels

A test compares them: every way in which a home could leak has a test by name, or a sentence why it cannot occur here.
"""

import ast
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "privacy" / "channels.md"

CHANNELS: Mapping[str, tuple[str, str]] = {
    "C1": ("first and last shown fixes lie on an edge", "the edge is a public zone's, not the home's; a buffer round it"),
    "C2": ("two fixes show a direction", "buffer and cells; no heading, no speed in a row"),
    "C3": ("gates of many days point to one home", "the mask is the same every day: nothing is drawn anew"),
    "C4": ("speed times time leads back home", "no speed; times in steps"),
    "C5": ("few houses lie behind a gate", "zones are merged until enough live behind each of their gates"),
    "C6": ("a gap tells how far it is inside", "no counter of hidden fixes; times in steps"),
    "C7": ("counters tell how many were hidden", "no counter of a person's device in a row; sessions sealed, of fixed size"),
    "C8": ("the order of row ids tells when, and how many are missing", "keyed identities, no row numbers"),
    "C9": ("a trace of a hidden uplink", "nothing is written for it, not even a tombstone"),
    "C10": ("who heard it by radio, and how loud", "nothing of it in any row; forwarders' numbers are of nobody"),
    "C11": ("data rate and power change with the place", "not in any row"),
    "C12": ("battery, temperature, steps", "four classes of battery, or none; nothing else is copied"),
    "C13": ("height and floor", "not copied"),
    "C14": ("indoor fixes drift through the edge", "a guard with a memory: reopening takes fixes and a way"),
    "C15": ("late, disordered and repeated fixes", "a late fix may only close; repetitions are known before the mask"),
    "C16": ("numbers that are none pass a comparison", "every comparison asks whether a fix may pass"),
    "C17": ("places in other units or orders", "service area, (0, 0), limits of the fields"),
    "C18": ("a home in another datum", "only WGS 84 is taken, said with each home"),
    "C19": ("a geocoder's idea of a home", ""),
    "C20": ("a distance formula that errs", "one plane at the home, held against the geodesic; a metre of room"),
    "C21": ("rounding carries a fix inside", "the raw place and what is told must both be outside"),
    "C22": ("coarse first, hidden afterwards", "stages have one order, and a file in another is refused"),
    "C23": ("logs and errors quote what came", "errors carry codes and names of fields"),
    "C24": ("queues of what could not be read", "there are none: of people a count a day and reason"),
    "C25": ("a broker keeps raw messages", "people by another's broker only where somebody said why; none shared"),
    "C26": ("labels of counters", "a closed list; nothing of a device or a cell"),
    "C27": ("journals and free pages of a database", "masked before the transaction; deleted bytes overwritten, journals emptied"),
    "C28": ("temporary files, cores, swapped indexes", "none outside the directory; no core"),
    "C29": ("copies made between writing and masking", "there is no such moment"),
    "C30": ("old fixes under looser rules", "raw fixes are gone; a rule set acts on what is observed after it"),
    "C31": ("a published street ends at a door", "dead ends that few walk are not told"),
    "C32": ("two children of one home", "zones and keys are the household's"),
    "C33": ("a new home, a new key", "the guard closes; the old home hides like the new one until the last row from before is gone"),
    "C34": ("grandparents, a friend, a clinic", "what shows a stay is held back and forgotten"),
    "C35": ("when a guardian is told", "told when asked, one length for every word"),
    "C36": ("an answer that differs", "every outcome of the mask takes the same way and the same code"),
    "C37": ("two releases and a withdrawal", "a closed period is never told again; classes and steadiness"),
    "C38": ("one more column", "k holds in each slice that is told, and no totals beside"),
    "C39": ("an explanation", "words alone; numbers for ways that nobody walked"),
    "C40": ("a fixture that is somebody's home", "places in the project lie in fictional towns or on a list"),
}  # fmt: skip
"""Number → what would leak, and what stops it."""

CANNOT: Mapping[str, str] = {
    "C19": "Sekisho has no geocoder: homes come as degrees, from a file that its owner answers for, and under zone rules "
    "only the zone is kept of them. How exact that file is, the city must look after (docs/operations.md, homes).",
}
"""Why a channel without a test cannot occur."""

_HEAD = """# Ways in which a home could leak

Forty ways, what stops each, and the test that proves it. Written by `tools/describe_channels.py` from the tests themselves; a new
test says so with `@pytest.mark.channel("C9")`.

| | what would leak | what stops it | proved by |
|---|---|---|---|
"""


def marked(tests: Path = ROOT / "tests") -> dict[str, list[tuple[str, str]]]:
    """Channel → file (from the project's folder) and name of each test that carries it.

    Raises:
        ValueError: a marker names no channel.
    """
    found: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for path in sorted(tests.rglob("test_*.py")):
        if "node_modules" in path.parts:
            continue
        for node in ast.parse(path.read_text("utf-8")).body:
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                for channel in _channels(node):
                    if channel not in CHANNELS:
                        raise ValueError(f"{path.name}: {node.name} names no channel: {channel}")
                    found[channel].append((str(path.relative_to(ROOT)), node.name))
    return found


def page() -> str:
    """The page as the tests are."""
    tests = marked()
    lines = []
    for channel, (leak, stop) in CHANNELS.items():
        proved = "<br>".join(
            f"`{Path(path).name}` {_words(name)}" for path, name in tests.get(channel, ())
        )
        lines.append(
            f"| {channel} | {leak} | {stop} | {proved or f'*cannot occur*: {CANNOT[channel]}'} |"
        )
    return _HEAD + "\n".join(lines) + "\n"


def _channels(node: ast.FunctionDef | ast.AsyncFunctionDef) -> Iterator[str]:
    for decorator in node.decorator_list:
        if isinstance(decorator, ast.Call) and ast.unparse(decorator.func) == "pytest.mark.channel":
            for argument in decorator.args:
                if isinstance(argument, ast.Constant):
                    yield str(argument.value)


def _words(name: str) -> str:
    return name.removeprefix("test_").replace("_", " ")


if __name__ == "__main__":
    PAGE.write_text(page(), "utf-8")
