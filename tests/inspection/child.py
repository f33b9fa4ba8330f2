"""A child process of the tests: does what its job says."""

from __future__ import annotations

import os
import sys
import threading

from inspection.children import emit, receive_job


def main() -> int:
    job = receive_job()
    for number in range(job.get("events", 0)):
        emit({"event": "progress", "done": number})
    if "noise" in job:
        print(job["noise"], flush=True)  # noqa: T201 a library's careless print
    if "complaint" in job:
        sys.stderr.write(job["complaint"])
    if job.get("environment"):
        emit({"event": "environment", "value": os.environ.get(job["environment"])})
    if job.get("forever"):
        emit({"event": "waiting", "pid": os.getpid()})
        threading.Event().wait()
    return int(job.get("code", 0))


if __name__ == "__main__":
    sys.exit(main())
