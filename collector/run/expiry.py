"""When the collector's own certificates end, for those who watch over it."""

from __future__ import annotations

from pathlib import Path

from cryptography import x509

from collector.config import CollectorSettings


def own_certificates(settings: CollectorSettings) -> dict[str, float]:
    """Seconds since 1970, by the setting that names the file; a file that is none is left out."""
    files = {
        "web.certificate": settings.web.certificate,
        "broker.certificate": settings.broker.certificate,
    }
    ends = {setting: _end(path) for setting, path in files.items() if path is not None}
    return {setting: end for setting, end in ends.items() if end is not None}


def _end(path: Path) -> float | None:
    try:
        return x509.load_pem_x509_certificate(path.read_bytes()).not_valid_after_utc.timestamp()
    except (OSError, ValueError):
        return None
