"""The certificate of the TLS servers: self-signed, with the kind of key that is usual today."""

import ssl
import subprocess
from pathlib import Path

FOLDER = Path(__file__).resolve().parent.parent.parent / "build" / "bench" / "certificate"
CERTIFICATE = FOLDER / "certificate.pem"
KEY = FOLDER / "key.pem"


def make_certificate() -> None:
    """Has `openssl` make one, unless it is there."""
    if CERTIFICATE.exists():
        return
    FOLDER.mkdir(parents=True, exist_ok=True)
    new_key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    self_signed = ["-x509", "-days", "3650", "-subj", "/CN=localhost"]
    subprocess.run(
        ["openssl", "req", *self_signed, *new_key, "-keyout", KEY, "-out", CERTIFICATE],
        capture_output=True,
        check=True,
    )


def server_context() -> ssl.SSLContext:
    make_certificate()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(CERTIFICATE, KEY)
    return context
