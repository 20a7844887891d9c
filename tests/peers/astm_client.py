"""python-astm's client as an analyser: sends the messages it is given, each in a session of its own.

    astm_client.py HOST PORT '{"messages": [["H|\\\\^&|…", "P|1", …, "L|1"], …], "chunk": 100, "bulk": false,
                               "again": false, "timeout": 20}'

`again`: on a refusal it hands the same record to the client once more, which is all that an emitter can do.
"""

import json
import sys

from astm.client import Client

from say import say

host, port, order = sys.argv[1], int(sys.argv[2]), json.loads(sys.argv[3])


def emitter():
    for message in order["messages"]:
        for record in message:
            accepted = yield record.split("|")
            say(record=record[:1], accepted=accepted)
            if order.get("again") and not accepted:
                accepted = yield record.split("|")
                say(record=record[:1], accepted=accepted, again=True)


class Watched(Client):
    """The client, and what it lets through to its log only."""

    def push(self, data):
        say(sends=data.decode("latin-1"))
        return super().push(data)

    def handle_error(self):
        say(error=repr(sys.exc_info()[1]))
        super().handle_error()

    def handle_close(self):
        say(closes=True)
        super().handle_close()

    def on_timeout(self):
        say(timeout=True)
        super().on_timeout()


Watched(
    emitter,
    host,
    port,
    timeout=order.get("timeout", 20),
    flow_map=None,
    chunk_size=order.get("chunk"),
    bulk_mode=order.get("bulk", False),
).run(timeout=0.05)
say(ended=True)
