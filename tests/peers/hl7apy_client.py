"""hl7apy as an analyser: it builds and reads messages but has no client; the socket is as in its documentation.

    hl7apy_client.py HOST PORT

Takes one order a line: {"message": "MSH|…"}. Says of every answer whether hl7apy finds it valid by the standard.
"""

import socket
import sys

from hl7apy.exceptions import HL7apyException
from hl7apy.parser import parse_message
from hl7apy.validation import Validator

from say import orders, say

host, port = sys.argv[1], int(sys.argv[2])


def judge(text):
    """None where the message is valid, else what hl7apy says of it."""
    try:
        Validator.validate(parse_message(text))
        return None
    except HL7apyException as error:
        return f"{type(error).__name__}: {error}"


with socket.create_connection((host, port)) as line:
    for order in orders():
        message = parse_message(order["message"])
        line.sendall(message.to_mllp().encode("utf-8"))
        answer = b""
        while not answer.endswith(b"\x1c\r"):
            piece = line.recv(4096)
            if not piece:
                break
            answer += piece
        text = answer.decode("utf-8").strip("\x0b\x1c\r") + "\r"
        ack = parse_message(text)
        say(
            code=ack.msa.msa_1.to_er7(),
            control_id=ack.msa.msa_2.to_er7(),
            text=text,
            sent=message.to_er7(),
            fault=judge(text),
        )
say(ended=True)
