"""One target under atheris: `python -m tests.fuzz.process TARGET [libFuzzer's options] CORPUS`.

The code is imported instrumented, which says which of its edges an input reaches; that is why this is a process.
"""

import sys
import warnings

import atheris

with atheris.instrument_imports(include=["adapters", "exchange", "exchange_verify"]):
    from tests.fuzz.targets import target


def main() -> None:
    """Fuzz until libFuzzer ends the process."""
    warnings.simplefilter("ignore")  # of cryptography, about certificates that it will refuse one day
    program, name, *options = sys.argv
    atheris.Setup([program, *options], target(name).feed)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
