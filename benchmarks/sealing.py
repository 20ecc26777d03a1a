"""What sealing a row about people costs, and opening it: `python -m benchmarks.sealing`.

Each figure is the best of many short rounds, in microseconds of CPU a row: what others do on the machine is left out.
"""

import secrets
from collections.abc import Callable
from time import process_time

from gateway.model.instant import MINUTE
from gateway.privacy.sealing import BODY, FileSeal, RowKey

ROWS = 5_000
ROUNDS = 80
LIMIT_US = 3.0
"""What one row may cost."""


def best(do: Callable[[], object]) -> float:
    """Microseconds a row of the fastest round."""
    rounds = []
    for _ in range(ROUNDS):
        begun = process_time()
        do()
        rounds.append(process_time() - begun)
    return min(rounds) / ROWS * 1e6


def main() -> int:
    """Print the figures; 1 where sealing is dearer than its limit."""
    seal = FileSeal("store-2026-W20", "ab" * 32, secrets.token_bytes(32))
    homes = [RowKey(secrets.token_bytes(32)) for _ in range(500)]
    known = {home.id: home for home in homes}
    rows = [
        (n // 500 * MINUTE, secrets.token_bytes(16), bytes(16), 36.7 + n * 1e-5, 137.2, n % 4 + 1)
        for n in range(ROWS)
    ]
    made = [seal.seal(homes[n % 500], "child_tracker", row) for n, row in enumerate(rows)]
    sealing = best(
        lambda: [seal.seal(homes[n % 500], "child_tracker", row) for n, row in enumerate(rows)]
    )
    opening = best(lambda: [seal.open(row, known) for row in made])
    print(f"sealing   {sealing:5.2f} µs a row of {BODY} bytes   (at most {LIMIT_US:g})")
    print(f"opening   {opening:5.2f} µs")
    return 0 if sealing <= LIMIT_US else 1


if __name__ == "__main__":
    raise SystemExit(main())
