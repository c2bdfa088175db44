"""`exchange tsa` as a process."""

import os
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest

from exchange.embedded.ports import choose_ports
from exchange.embedded.time_authority import QUERY_TYPE
from exchange.security.timestamps import Authorities, Imprint, accept, query
from tests.patience import PATIENCE

pytestmark = pytest.mark.requires_tool(name="openssl", debian="openssl")


def test_it_stamps_until_it_is_told_to_end(tmp_path: Path) -> None:
    """Healthy, with the root where the page says; SIGTERM ends it."""
    port, watched = choose_ports(2, tmp_path)
    config = tmp_path / "tsa.toml"
    config.write_text(f'[authority]\nfolder = "keys"\nport = {port}\n[observe]\nport = {watched}\n')
    words = [sys.executable, "-m", "exchange.cli", "tsa", "--config", str(config)]
    with subprocess.Popen(words, env=os.environ, stderr=subprocess.DEVNULL) as process:
        while True:
            try:
                if httpx.get(f"http://127.0.0.1:{watched}/health", timeout=PATIENCE).is_success:
                    break
            except httpx.TransportError:
                assert process.poll() is None
                time.sleep(0.02)
        imprint = Imprint.of(b"a checkpoint")
        asked = query(imprint, 5)
        headers = {"Content-Type": QUERY_TYPE}
        answer = httpx.post(f"http://127.0.0.1:{port}/", content=asked, headers=headers, timeout=PATIENCE)
        authorities = Authorities.load(tmp_path / "keys" / "root.crt.pem")
        assert accept(answer.content, imprint, 5, authorities, datetime.now(UTC)).token.nonce == 5
        process.send_signal(signal.SIGTERM)
        assert process.wait(PATIENCE) == 0
