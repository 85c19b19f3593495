"""The demo's broker, in Python so that a bare machine can run it; schools run Mosquitto.

`python -m deploy.commands.demo_broker DESCRIPTOR` speaks MQTT 3.1.1 on a listening socket that it
is given. It is a process of its own: beside the collector it would keep the agent waiting whenever
that computes. The socket stays the demo's, by which the agent knows whose child it is.
"""

from __future__ import annotations

import asyncio
import logging
import socket
import sys

LISTENER = "default"
"""The library wants one of this name."""


async def serve(listener: socket.socket) -> None:
    """For whoever connects, until the process is ended."""
    from amqtt.adapters import StreamReaderAdapter, StreamWriterAdapter
    from amqtt.broker import Broker

    address, port = listener.getsockname()
    broker = Broker(
        {
            "listeners": {LISTENER: {"type": "external", "bind": f"{address}:{port}"}},
            "plugins": {
                "amqtt.plugins.authentication.AnonymousAuthPlugin": {"allow_anonymous": True}
            },
        }
    )
    await broker.start()

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await broker.external_connected(
            StreamReaderAdapter(reader), StreamWriterAdapter(writer), LISTENER
        )

    await (await asyncio.start_server(accept, sock=listener)).serve_forever()


if __name__ == "__main__":
    for noisy in ("amqtt", "transitions", "websockets"):
        logging.getLogger(noisy).setLevel(logging.CRITICAL)
    asyncio.run(serve(socket.socket(fileno=int(sys.argv[1]))))
