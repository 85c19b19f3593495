"""An RTSP camera of Debian's GStreamer: a moving test picture at `rtsp://127.0.0.1:PORT/room`.

Run by Debian's own Python, which has the bindings: `/usr/bin/python3 rtsp_server.py PORT`. With a
second word it shows that folder's 00000.jpg, 00001.jpg and so on instead, five a second, for ever.
"""

from __future__ import annotations

import sys

PIPELINE = (
    "( videotestsrc is-live=true pattern=ball"
    " ! video/x-raw,format=I420,width=320,height=240,framerate=15/1"
    " ! jpegenc ! rtpjpegpay name=pay0 )"
)


PICTURES = (
    '( multifilesrc location={folder}/%05d.jpg loop=true caps="image/jpeg,framerate=5/1"'
    " ! jpegdec ! jpegenc ! rtpjpegpay name=pay0 )"
)


def main(port: str, folder: str = "") -> None:
    import gi

    gi.require_version("Gst", "1.0")
    gi.require_version("GstRtspServer", "1.0")
    from gi.repository import GLib, Gst, GstRtspServer

    Gst.init(None)
    server = GstRtspServer.RTSPServer.new()
    server.set_address("127.0.0.1")
    server.set_service(port)
    factory = GstRtspServer.RTSPMediaFactory.new()
    factory.set_launch(PICTURES.format(folder=folder) if folder else PIPELINE)
    factory.set_shared(True)
    server.get_mount_points().add_factory("/room", factory)
    server.attach(None)
    GLib.MainLoop().run()


if __name__ == "__main__":
    main(*sys.argv[1:])
