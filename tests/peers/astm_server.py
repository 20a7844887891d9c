"""python-astm's server as a host: says every record that it hands to its application.

    astm_server.py
"""

import sys

from astm.asynclib import loop
from astm.server import BaseRecordsDispatcher, RequestHandler, Server

from say import end_with_input, say


class Dispatcher(BaseRecordsDispatcher):
    def __call__(self, message):
        say(frame=message.decode("latin-1"))
        super().__call__(message)

    def __init__(self, encoding=None):
        super().__init__(encoding)
        for kind in self.dispatch:
            self.dispatch[kind] = self.tell

    def tell(self, record):
        say(record=record)

    def on_unknown(self, record):
        say(unknown=record)


class Handler(RequestHandler):
    """The handler, and what it lets through to its log only."""

    def handle_error(self):
        say(error=repr(sys.exc_info()[1]))
        super().handle_error()

    def push(self, data):
        say(answers=data.decode("latin-1"))
        return super().push(data)

    def handle_close(self):
        say(closes=True)
        super().handle_close()


end_with_input()
server = Server(host="127.0.0.1", port=0, request=Handler, dispatcher=Dispatcher, encoding="utf-8")
say(listening=server.socket.getsockname()[1])
loop(timeout=0.05)
