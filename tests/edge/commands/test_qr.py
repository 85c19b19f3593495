"""An invitation's QR code, read from a picture as the device's camera would."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
import segno

from collector.fleet.invitation_text import content, invitation_text, svg
from edge.commands.qr import seen_by
from edge.common.errors import UserError
from edge.protocol.code import Code

URL = "https://mood.school.example:8642"


def test_a_camera_reads_what_the_page_shows(tmp_path: Path) -> None:
    code, picture = str(Code.new()), tmp_path / "code.png"
    segno.make(content(URL, code), error="m", micro=False).save(str(picture), scale=6, border=4)
    view = np.full((480, 640), 90, np.uint8)
    code_picture = cv2.imread(str(picture), cv2.IMREAD_GRAYSCALE)
    assert code_picture is not None
    view[60 : 60 + code_picture.shape[0], 120 : 120 + code_picture.shape[1]] = code_picture
    cv2.imwrite(str(picture), view)
    assert seen_by(str(picture), lambda _line: None, 10) == (URL, code)


def test_a_camera_that_sees_none_says_so(tmp_path: Path) -> None:
    picture = tmp_path / "wall.png"
    cv2.imwrite(str(picture), np.full((120, 160), 90, np.uint8))
    with pytest.raises(UserError, match="saw no code in 1 s: type it with --code"):
        seen_by(str(picture), lambda _line: None, 1)
    with pytest.raises(UserError, match="missing"):
        seen_by(str(tmp_path / "missing.png"), lambda _line: None, 1)


def test_a_terminal_and_a_page_show_it() -> None:
    code = str(Code.new())
    text = invitation_text(URL, code, "school/r101", "15m")
    assert f"roommood device enrol {URL} (it asks for the code)" in text
    assert code in text
    assert "█" in text or "▀" in text
    drawing = svg(URL, code)
    assert drawing.startswith("<svg")
    assert "style=" not in drawing
    assert "http" not in drawing.replace("http://www.w3.org/2000/svg", "")
