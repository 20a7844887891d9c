"""python-hl7's two MLLP clients as an analyser.

    hl7_client.py HOST PORT blocking|asyncio

Takes one order a line: {"message": "MSH|…"}, or {"raw": "…"} for bytes as they are (blocking only).
"""

import asyncio
import sys

import hl7
from hl7.client import MLLPClient
from hl7.mllp import open_hl7_connection

from say import orders, say

host, port, kind = sys.argv[1], int(sys.argv[2]), sys.argv[3]


def tell(answer):
    """What the application learns from an answer."""
    msa = answer.segment("MSA")
    say(code=str(msa(1)), control_id=str(msa(2)), text=str(answer))


def blocking():
    with MLLPClient(host, port) as client:
        for order in orders():
            if "raw" in order:
                answer = client.send(order["raw"].encode("utf-8"))
            else:
                answer = client.send_message(hl7.parse(order["message"]))
            # What one recv() gave: with luck one whole answer.
            say(bytes=answer.decode("utf-8"))
            if answer.count(b"\x0b") == 1 and answer.endswith(b"\x1c\r"):
                tell(hl7.parse(answer.decode("utf-8").strip("\x0b\x1c\r")))


async def with_asyncio():
    reader, writer = await open_hl7_connection(host, port, encoding="utf-8")
    for order in orders():
        writer.writemessage(hl7.parse(order["message"]))
        await writer.drain()
        tell(await reader.readmessage())
    writer.close()


if kind == "blocking":
    blocking()
else:
    asyncio.run(with_asyncio())
say(ended=True)
