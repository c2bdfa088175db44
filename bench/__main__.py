"""`python -m bench [NAME …]`: run the named benches, or all."""

import asyncio
import sys

from bench import (
    agent,
    circular,
    connecting,
    crypto,
    decide,
    directory,
    directory_apply,
    flood,
    growth,
    history,
    latency,
    load,
    memory,
    overload,
    rotation,
    router,
    tracker,
)

BENCHES = {
    "sign": crypto.sign,
    "verify": crypto.verify,
    "decode": crypto.decode,
    "decide": decide.run,
    "agent": agent.run,
    "tracker": tracker.run,
    "history": history.run,
    "directory": directory.run,
    "directory_apply": directory_apply.run,
    "connecting": connecting.run,
    "latency": latency.run,
    "router": router.run,
    "load": load.run,
    "flood": flood.run,
    "overload": overload.run,
    "circular": circular.run,
    "rotation": rotation.run,
    "growth": growth.run,
    "memory": memory.run,
}


async def main(names: list[str]) -> None:
    """Run the benches one after the other: each has the machine to itself."""
    unknown = set(names) - set(BENCHES)
    if unknown:
        sys.exit(f"no such bench: {', '.join(sorted(unknown))}; there are {', '.join(BENCHES)}")
    for name in names or BENCHES:
        await BENCHES[name]()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1:]))
