"""`python -m exchange.console.assets`: fetch what the console's pages load."""

import sys

from exchange.console.assets import VENDOR_FOLDER, AssetsError, fetch_assets


def main() -> int:
    """Exit code for a shell; a console without these files works, so this says so and no more."""
    try:
        fetch_assets()
    except AssetsError as error:
        sys.stderr.write(f"The console's pages go without scripts and font: {error}\n")
        return 1
    sys.stdout.write(f"The console's packages are in {VENDOR_FOLDER}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
