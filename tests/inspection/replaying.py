"""A child process that replays a package with pywb (which patches the whole process it runs in): prints, for each line
"timestamp url" on standard input, the status and the body's SHA-256 with which the page comes back."""

from __future__ import annotations

import hashlib
import json
import sys

from pywb.manager.manager import main as manage
from werkzeug.test import Client


def main(wacz: str) -> None:
    manage(["init", "evidence"])
    manage(["add", "--unpack-wacz", "evidence", wacz])
    from pywb.apps.frontendapp import FrontEndApp

    client = Client(FrontEndApp(custom_config={"debug": False}))
    answers = []
    for line in sys.stdin.read().splitlines():
        timestamp, url = line.split(" ", 1)
        response = client.get(f"/evidence/{timestamp}id_/{url}")
        answers.append(
            (response.status_code, hashlib.sha256(response.data).hexdigest(), response.headers.get("Memento-Datetime"))
        )
    sys.stdout.write("\n" + json.dumps(answers) + "\n")


if __name__ == "__main__":
    main(sys.argv[1])
