"""The command line whose dead workers are noticed after seconds: a test cannot wait for as long as a night can."""

from __future__ import annotations

import sys

from cli.main import main
from distribution import queue, worker

if __name__ == "__main__":
    queue.HEARTBEAT_SECONDS, queue.STALLED_SECONDS = 0.4, 4.0
    worker.AGAIN_SECONDS, worker.PAUSE_SECONDS = 0.0, 0.5
    sys.exit(main())
