"""hl7apy's MLLP server as a receiver of verdicts. It closes every connection after one message.

    hl7apy_server.py
"""

from hl7apy.core import Message
from hl7apy.exceptions import HL7apyException
from hl7apy.mllp import AbstractErrorHandler, AbstractHandler, MLLPServer
from hl7apy.parser import parse_message
from hl7apy.validation import Validator

from say import end_with_input, say


def answer(message, code):
    ack = Message("ACK", version="2.5.1")
    ack.msh.msh_9 = "ACK^R01^ACK"
    ack.msh.msh_10 = "A" + message.msh.msh_10.to_er7()
    ack.msh.msh_11 = "P"
    ack.msa.msa_1 = code
    ack.msa.msa_2 = message.msh.msh_10.to_er7()
    return ack.to_mllp()


class Results(AbstractHandler):
    def reply(self):
        message = parse_message(self.incoming_message)
        fault = None
        try:
            Validator.validate(message)
        except HL7apyException as error:
            fault = f"{type(error).__name__}: {error}"
        say(message=self.incoming_message, fault=fault)
        return answer(message, "AA")


class Faults(AbstractErrorHandler):
    def reply(self):
        say(error=repr(self.exc), message=self.incoming_message)
        return answer(parse_message(self.incoming_message, find_groups=False), "AR")


end_with_input()
handlers = {"ORU^R01^ORU_R01": (Results,), "ERR": (Faults,)}
server = MLLPServer("127.0.0.1", 0, handlers, timeout=10)
say(listening=server.server_address[1])
server.serve_forever()
