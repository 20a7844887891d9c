"""python-hl7's MLLP server as a receiver of verdicts, or of an analyser's results.

    hl7_server.py [ENCODING]            its default is ASCII
"""

import asyncio
import sys

from hl7.mllp import start_hl7_server

from say import end_with_input, say

encoding = sys.argv[1] if len(sys.argv) > 1 else None


async def serve(reader, writer):
    say(connected=True)
    try:
        while True:
            message = await reader.readmessage()
            say(message=str(message))
            writer.writemessage(message.create_ack("AA"))
            await writer.drain()
    except asyncio.IncompleteReadError:
        say(closed=True)
    except Exception as error:  # whatever the library throws ends this connection, and the test wants to know
        say(error=repr(error))
        writer.close()


async def main():
    server = await start_hl7_server(serve, "127.0.0.1", 0, encoding=encoding)
    say(listening=server.sockets[0].getsockname()[1])
    async with server:
        await server.serve_forever()


end_with_input()
asyncio.run(main())
