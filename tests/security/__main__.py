"""`python -m tests.security`: every sentence that promises something, and what proves it."""

from __future__ import annotations

import sys

from tests.security.promises import exists, promises


def main() -> int:
    bare = 0
    for promise in promises():
        print(promise.sentence)
        for file, function in promise.tests:
            print(f"    {file}::{function}{'' if exists(file, function) else ' (is not there)'}")
        bare += not promise.tests or not all(exists(*test) for test in promise.tests)
    print(f"{len(promises())} sentences, {bare} without a test")
    return 1 if bare else 0


if __name__ == "__main__":
    sys.exit(main())
