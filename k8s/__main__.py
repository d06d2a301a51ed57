"""``python -m k8s``: write every file that is made from another, and say which have changed."""

from __future__ import annotations

import sys

from k8s import base, conformance, readme, required, schema
from k8s.dashboards import files as dashboards
from k8s.rules import files as rules


def main() -> int:
    # In this order: the table reads the schema, and the base what is required.
    for target in (schema, readme, required, base, rules, dashboards, conformance):
        for path, text in target.written().items():
            if not path.exists() or path.read_text("utf-8") != text:
                path.write_text(text, "utf-8")
                print(path)
    return 0


if __name__ == "__main__":
    sys.exit(main())
