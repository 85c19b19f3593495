"""Prints the tables of docs/privacy-audit.md: `python -m tests.attacks [--lessons N] [--seats 8]`.

Points by which an attacker does better than one who does not see the counts, for each attack and
setting of the disclosure control, on lessons of three paces. The settings were chosen on other
seeds than these.
"""

from __future__ import annotations

import argparse

from tests.attacks.attacker import ATTACKS, attack
from tests.attacks.controls import CONTROLS, error, minute_error, publish
from tests.attacks.figures import measure
from tests.attacks.lessons import WINDOWS, lesson

FIRST_SEED = 50_000
PACES = {1: "lively (10 s)", 10: "calm (100 s)", 40: "still (7 min)"}
"""How long an expression lasts on average."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lessons", type=int, default=120, help="of each pace")
    parser.add_argument("--seats", type=int, default=24)
    parser.add_argument("--control", choices=CONTROLS, action="append", help="some of them")
    parser.add_argument(
        "--figures", type=int, metavar="N", help="of N windows, what a device's figures give away"
    )
    options = parser.parse_args()
    if options.figures:
        leak = measure(options.figures)
        print(
            f"one to four in a room that withholds it, {leak.windows} windows; chance is 25 of 100"
        )
        print(
            f"as measured: {leak.exact:+.0f} points; as sent: {leak.publication_share:+.0f} points"
        )
        return
    count, seats = options.lessons, options.seats
    print(f"{count} lessons of {WINDOWS} windows at each pace, {seats} seats; half to train on\n")
    print(f"| lesson | control | {' | '.join(ATTACKS)} | count error | over a minute |")
    print(f"| --- | --- | {'--- | ' * len(ATTACKS)}--- | --- |")
    for pace, words in PACES.items():
        lessons = [lesson(FIRST_SEED + seed, pace, seats) for seed in range(count)]
        for name in options.control or CONTROLS:
            disclosures = publish(CONTROLS[name], lessons)
            gains = [attack(one, lessons, disclosures) for one in ATTACKS]
            points = " | ".join(f"{gain.points:+.1f}" for gain in gains)
            errors = f"{error(lessons, disclosures):.3f} | {minute_error(lessons, disclosures):.3f}"
            print(f"| {words} | {name} | {points} | {errors} |", flush=True)
        guesses = " | ".join(f"{100 * gain.guessing:.0f} % of {gain.n}" for gain in gains)
        print(f"| {words} | *right without the counts* | {guesses} | | |", flush=True)


if __name__ == "__main__":
    main()
