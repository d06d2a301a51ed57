"""``python -m hospital``: a hospital around the service, on this machine, until Ctrl-C."""

from __future__ import annotations

import asyncio
import sys

from hospital.ward import Ward
from service.settings import SettingsError, load


def main() -> int:
    try:
        return asyncio.run(Ward(load()).run())
    except SettingsError as error:
        print(f"hospital: {error}", file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main())
