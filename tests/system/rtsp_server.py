"""An RTSP camera of Debian's GStreamer: a noisy test picture, as sensors have, at `rtsp://127.0.0.1:PORT/room`.

Run by Debian's own Python, which has the bindings: `/usr/bin/python3 rtsp_server.py PORT`. With a
second word it shows that folder's 00000.jpg, 00001.jpg and so on instead, five a second, for ever;
with sizes such as `320x240,640x480` a test picture whose size changes with each SIGUSR1. SIGUSR2
ends the stream as a camera that restarts does, in good order, and the next asker gets a new one.
A third word, `TCP` or `UDP`, is the only way on which it sends.
"""

from __future__ import annotations

import itertools
import re
import signal
import sys
from typing import Any

PIPELINE = (
    "( videotestsrc is-live=true pattern=snow"
    ' ! capsfilter name=size caps="{caps}"'
    " ! jpegenc ! rtpjpegpay name=pay0 )"
)

CAPS = "video/x-raw,format=I420,width={0},height={1},framerate=15/1"

PICTURES = (
    '( multifilesrc location={folder}/%05d.jpg loop=true caps="image/jpeg,framerate=5/1"'
    " ! jpegdec ! jpegenc ! rtpjpegpay name=pay0 )"
)


def main(port: str, source: str = "320x240", transport: str = "") -> None:
    import gi  # noqa: PLC0415  # Debian's own Python alone has it

    gi.require_version("Gst", "1.0")
    gi.require_version("GstRtsp", "1.0")
    gi.require_version("GstRtspServer", "1.0")
    from gi.repository import GLib, Gst, GstRtsp, GstRtspServer  # noqa: PLC0415  # the same

    Gst.init(None)
    server = GstRtspServer.RTSPServer.new()
    server.set_address("127.0.0.1")
    server.set_service(port)
    factory = GstRtspServer.RTSPMediaFactory.new()
    if transport:
        factory.set_protocols(getattr(GstRtsp.RTSPLowerTrans, transport))
    sizes = re.findall(r"(\d+)x(\d+)", source) if re.fullmatch(r"[\dx,]+", source) else []
    turn = itertools.cycle(sizes)
    media: list[Any] = []

    def change() -> bool:
        launch = CAPS.format(*next(turn))
        factory.set_launch(PIPELINE.format(caps=launch))  # of who comes later
        if media:
            media[-1].get_by_name("size").set_property("caps", Gst.Caps.from_string(launch))
        return True

    if sizes:
        change()
    else:
        factory.set_launch(PICTURES.format(folder=source))
    factory.connect("media-configure", lambda _factory, made: media.append(made.get_element()))

    def end() -> bool:
        media[-1].send_event(Gst.Event.new_eos())
        return True

    GLib.unix_signal_add(GLib.PRIORITY_DEFAULT, signal.SIGUSR1, change)
    GLib.unix_signal_add(GLib.PRIORITY_DEFAULT, signal.SIGUSR2, end)
    server.get_mount_points().add_factory("/room", factory)
    server.attach(None)
    GLib.MainLoop().run()


if __name__ == "__main__":
    main(*sys.argv[1:])
