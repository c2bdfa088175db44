"""`python -m bench [NAME …]`: run the named benches, or all."""

import asyncio
import sys

from bench import (
    agent,
    archive,
    archive_lag,
    audit,
    circular,
    connecting,
    crypto,
    decide,
    deliveries,
    directory,
    directory_apply,
    evidence,
    flood,
    folder,
    formats,
    gateway,
    growth,
    history,
    latency,
    load,
    memory,
    overload,
    pages,
    redrive,
    rotation,
    router,
    stream,
    thin_line,
    tracker,
)

BENCHES = {
    "sign": crypto.sign,
    "verify": crypto.verify,
    "decode": crypto.decode,
    "decide": decide.run,
    "parse": formats.parse,
    "render": formats.render,
    "folder": folder.run,
    "agent": agent.run,
    "archive": archive.append,
    "prove": archive.prove,
    "archive_lag": archive_lag.run,
    "audit_verify": audit.run,
    "evidence": evidence.run,
    "tracker": tracker.run,
    "history": history.run,
    "directory": directory.run,
    "directory_apply": directory_apply.run,
    "connecting": connecting.run,
    "gateway": gateway.run,
    "thin_line": thin_line.run,
    "latency": latency.run,
    "stream": stream.run,
    "pages": pages.run,
    "router": router.run,
    "load": load.run,
    "flood": flood.run,
    "overload": overload.run,
    "redrive": redrive.run,
    "circular": circular.run,
    "rotation": rotation.run,
    "growth": growth.run,
    "memory": memory.run,
}

PREPARATIONS = {"deliveries": deliveries.run}
"""Run when they are named."""


async def main(names: list[str]) -> None:
    """Run the benches one after the other: each has the machine to itself."""
    known = BENCHES | PREPARATIONS
    unknown = set(names) - set(known)
    if unknown:
        sys.exit(f"no such bench: {', '.join(sorted(unknown))}; there are {', '.join(known)}")
    for name in names or BENCHES:
        await known[name]()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1:]))
