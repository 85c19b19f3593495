"""What counts as recorded, and may so be read without an attestation: only what is certain."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from edge.camera.recording import Recording
from edge.camera.video import VideoFile
from edge.common.errors import UserError

PICTURE = np.full((40, 40), 90, np.uint8)


def picture(path: Path) -> Path:
    cv2.imwrite(str(path), PICTURE)
    return path


def film(path: Path) -> Path:
    path.write_bytes(b"\0\0\0\x18ftypmp42" + bytes(200))
    return path


def folder(path: Path) -> Path:
    path.mkdir()
    picture(path / "a.jpg")
    picture(path / "b.jpg")
    return path


def make_link(path: Path, target: Path) -> Path:
    path.symlink_to(target)
    return path


RESTING: dict[str, Callable[[Path], str]] = {
    "the simulation": lambda _: "sim:seats=4,seed=1",
    "a picture": lambda at: str(picture(at / "a.jpg")),
    "a film": lambda at: str(film(at / "a.mp4")),
    "a folder of pictures": lambda at: str(folder(at / "pictures")),
    "a link to a film": lambda at: str(make_link(at / "link.mp4", film(at / "a.mp4"))),
    "a link to a folder": lambda at: str(make_link(at / "link", folder(at / "pictures"))),
}


@pytest.mark.parametrize("make", RESTING.values(), ids=RESTING.keys())
def test_what_rests_is_recorded(tmp_path: Path, make: Callable[[Path], str]) -> None:
    recording = Recording(make(tmp_path))
    assert recording.live() is None
    assert recording.live() is None


def fifo(path: Path) -> Path:
    os.mkfifo(path)
    return path


def text(path: Path, content: str, encoding: str = "utf-8") -> Path:
    path.write_text(content, encoding)
    return path


SDP = "v=0\r\nc=IN IP4 127.0.0.1\r\nm=video 5004 RTP/AVP 96\r\n"
LIVE: dict[str, Callable[[Path], str]] = {
    "a camera": lambda _: "usb:0",
    "a camera by its node": lambda _: "/dev/video0",
    "a camera by its name": lambda _: "usb:/dev/v4l/by-id/usb-cam",
    "a camera by its name alone": lambda _: "/dev/v4l/by-id/usb-cam",
    "the Pi's camera": lambda _: "picamera",
    "a stream": lambda _: "rtsp://10.0.0.4/live",
    "a pipe with a film's name": lambda at: str(fifo(at / "film.mp4")),
    "a pipe with a picture's name": lambda at: str(fifo(at / "last.jpg")),
    "a link to a pipe": lambda at: str(make_link(at / "film.mp4", fifo(at / "pipe"))),
    "a link to a device": lambda at: str(make_link(at / "film.mp4", Path("/dev/null"))),
    "a playlist": lambda at: str(text(at / "film.m3u8", "#EXTM3U\nhttp://cam/live.ts\n")),
    "a playlist called a film": lambda at: str(text(at / "film.mp4", "#EXTM3U\nlive.ts\n")),
    "a stream's description": lambda at: str(text(at / "film.mp4", SDP)),
    "a list with a web page's look": lambda at: str(text(at / "film.mp4", "\n <MPD>\0\1\2")),
    "a file from the future": lambda at: str(later(film(at / "a.mp4"))),
    "a folder that holds a pipe": lambda at: str(fifo(folder(at / "p") / "c.jpg").parent),
}


def later(path: Path) -> Path:
    os.utime(path, (time.time() + 3600,) * 2)
    return path


@pytest.mark.parametrize("make", LIVE.values(), ids=LIVE.keys())
def test_whatever_else_may_be_live(tmp_path: Path, make: Callable[[Path], str]) -> None:
    assert Recording(make(tmp_path)).live()


LISTS = {
    "files": "ffconcat version 1.0\n# Hörsaal\nfile film.avi\n",
    "a playlist": "#EXTM3U\n#EXT-X-TARGETDURATION:3\n#EXTINF:3,Hörsaal 1\nfilm.avi\n#EXT-X-ENDLIST",
    "a stream": SDP + "s=Hörsaal\r\n",
    "indented": "  \r\n\tffconcat version 1.0\nfile film.avi # ü\n",
    "controls": "#EXTM3U\n#\x01\n#EXTINF:3,x\nfilm.avi\n#EXT-X-ENDLIST\n",
}
ENCODINGS = ("utf-8", "utf-8-sig", "cp1252", "utf-16", "utf-16-be")


@pytest.mark.parametrize("name", ["list.mp4", "list.ts", "list.m3u8", "list.txt", "list"])
def test_a_list_is_live_in_any_encoding_and_is_not_followed(tmp_path: Path, name: str) -> None:
    codec = cv2.VideoWriter.fourcc(*"MJPG")
    writer = cv2.VideoWriter(str(tmp_path / "film.avi"), cv2.CAP_FFMPEG, codec, 5, (64, 64))
    writer.write(np.full((64, 64, 3), 90, np.uint8))
    writer.release()
    film_itself = VideoFile(str(tmp_path / "film.avi"))
    film_itself.open()
    film_itself.close()
    for content in LISTS.values():
        for encoding in ENCODINGS:
            path = text(tmp_path / name, content, encoding)
            assert Recording(str(path)).live() == "a list or description of streams, not a film"
            with pytest.raises(UserError, match=r"not a video but a text, .*: name the"):
                VideoFile(str(path)).open()


def overwrite(path: Path) -> None:
    cv2.imwrite(str(path / "a.jpg") if path.is_dir() else str(path), PICTURE + 1)


def grow(path: Path) -> None:
    with (path / "a.jpg" if path.is_dir() else path).open("ab") as file:
        file.write(b"x")


def replace(path: Path) -> None:
    target = path / "a.jpg" if path.is_dir() else path
    new = target.with_name("new.jpg")
    new.write_bytes(target.read_bytes())
    os.utime(new, ns=(target.stat().st_atime_ns, target.stat().st_mtime_ns))
    new.replace(target)


def add(path: Path) -> None:
    picture((path if path.is_dir() else path.parent) / "c.jpg")


def take_away(path: Path) -> None:
    (path / "b.jpg" if path.is_dir() else path).unlink()


CHANGES = [overwrite, grow, replace, take_away]


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("make", [lambda at: picture(at / "a.jpg"), lambda at: folder(at / "p")])
def test_a_recording_that_changes_is_live_from_then_on(
    tmp_path: Path, make: Callable[[Path], Path], change: Callable[[Path], None]
) -> None:
    path = make(tmp_path)
    recording = Recording(str(path))
    assert recording.live() is None
    change(path)
    assert recording.live()
    time.sleep(0.01)
    assert recording.live(), "it stays so, however long it rests"


def test_a_folder_that_gets_another_picture_is_live(tmp_path: Path) -> None:
    path = folder(tmp_path / "pictures")
    recording = Recording(str(path))
    assert recording.live() is None
    add(path)
    assert recording.live()


def test_a_link_that_leads_elsewhere_is_live(tmp_path: Path) -> None:
    link = make_link(tmp_path / "now.jpg", picture(tmp_path / "a.jpg"))
    recording = Recording(str(link))
    assert recording.live() is None
    link.unlink()
    make_link(link, picture(tmp_path / "b.jpg"))
    assert recording.live()


def test_what_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"none\.mp4: no such file"):
        Recording(str(tmp_path / "none.mp4"))


def test_a_picture_that_is_overwritten_every_second_is_noticed_by_whoever_waits(
    tmp_path: Path,
) -> None:
    """As `agent check` does, which looks but once."""
    path = picture(tmp_path / "lastsnap.jpg")
    recording = Recording(str(path))
    writer = threading.Timer(0.2, overwrite, [path])
    writer.start()
    recording.watch(0.6)
    writer.join()
    assert recording.live()


@pytest.mark.parametrize("source", ["sim:seats=2", "usb:0"])
def test_nobody_waits_for_what_is_decided(source: str) -> None:
    recording = Recording(source)
    begin = time.monotonic()
    recording.watch(60)
    assert time.monotonic() - begin < 30
