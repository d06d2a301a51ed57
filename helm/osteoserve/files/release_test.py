"""What `helm test` asks of a release. Usage: release_test.py URL."""

import json
import sys
import time
import urllib.error
import urllib.request

SECONDS = 120
# Proxies that the environment names are for addresses outside; the front is a Service beside us.
OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def ask(url, data=None):
    request = urllib.request.Request(url, data)  # noqa: S310 - the chart's own Service
    if data is not None:
        request.add_header("Content-Type", "application/octet-stream")
    try:
        with OPENER.open(request, timeout=10) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)


def look(front):
    """Return what is wrong, or nothing."""
    status, body = ask(front + "/health/ready")
    down = [name for name, state in body.get("runners", {}).items() if state != "ready"]
    if status != 200 or down:
        return f"/health/ready says {status}; not ready: {', '.join(down) or 'the front'}"
    status, body = ask(front + "/api/v1/predictions", b"this is no scan")
    if (status, body.get("code")) != (401, "sign_in"):
        return f"a file from nobody was answered {status} {body.get('code')}, not 401 sign_in"
    return None


def main(front):
    wrong, end = "never asked", time.monotonic() + SECONDS
    while wrong and time.monotonic() < end:
        try:
            wrong = look(front)
        except (OSError, ValueError) as error:
            wrong = f"{type(error).__name__}: {error}"
        if wrong:
            time.sleep(1)
    print(wrong or "the release answers")
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
