"""What every Python driver here shares: it says what happens as one JSON object a line, and ends when its input does."""

import json
import os
import sys
import threading

_lock = threading.Lock()


def say(**what):
    with _lock:
        sys.stdout.write(json.dumps(what) + "\n")
        sys.stdout.flush()


def orders():
    """What the test asks for: one JSON object a line, until it closes our input."""
    for line in sys.stdin:
        yield json.loads(line)


def end_with_input():
    """A server ends when the test does, however that ends."""

    def wait():
        sys.stdin.read()
        os._exit(0)

    threading.Thread(target=wait, daemon=True).start()
