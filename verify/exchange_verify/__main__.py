"""`exchange-verify case.asice --root 1.root.json --policy log.policy`: does everything that the package claims hold?

Exit codes: 0 everything does; 1 something does not; 2 wrong use; 3 what was looked at does, and something was not.
"""

import sys
from argparse import ArgumentParser
from collections.abc import Sequence
from datetime import UTC, datetime
from mmap import ACCESS_READ, mmap
from pathlib import Path

from cryptography import x509

from exchange_verify.steps import Verification


def main(arguments: Sequence[str] | None = None) -> int:
    """The command; its exit code."""
    parser = ArgumentParser(prog="exchange-verify", description=__doc__)
    parser.add_argument("package", type=Path, metavar="case.asice")
    parser.add_argument("--root", type=Path, required=True, help="1.root.json, from a source that is not the exchange")
    parser.add_argument("--policy", type=Path, required=True, help="whose word about the log counts, from there too")
    parser.add_argument("--tsa-root", type=Path, help="PEM file with roots of time-stamp authorities that you trust")
    parser.add_argument("--at", type=datetime.fromisoformat, help="since when you have the package; else now")
    given = parser.parse_args(arguments)
    try:
        authorities = x509.load_pem_x509_certificates(given.tsa_root.read_bytes()) if given.tsa_root else []
        at = (given.at or datetime.now(UTC)).astimezone(UTC)
        brought = (given.root.read_bytes(), given.policy.read_text(encoding="utf-8"), authorities, at)
        with given.package.open("rb") as file, mmap(file.fileno(), 0, access=ACCESS_READ) as package:
            verification = Verification(package, *brought)
            told, refused = verification.run()
    except (OSError, ValueError) as error:
        what = f"{error.filename}: {error.strerror}" if isinstance(error, OSError) else error
        parser.error(f"{what}: name the package and the files that you bring, see --help")
    story = [] if refused else [said.told(verification.said[0]) for said in verification.said]
    doubt = f"Holds, but {verification.unchecked}" if verification.unchecked else ""
    verdict = f"DOES NOT HOLD: {refused}" if refused else doubt or "Everything that is claimed holds."
    for line in (*(f"{number:2}. {sentence}" for number, sentence in enumerate(told, 1)), *story, verdict):
        print("".join(each if each.isprintable() else "?" for each in line))
    return 1 if refused else 3 if doubt else 0


if __name__ == "__main__":
    sys.exit(main())
