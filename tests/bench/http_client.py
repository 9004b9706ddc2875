"""A client that keeps its connections open, in a process of its own: a closed list of paths, each asked for once.

Reads a job as JSON from its input: host, port, paths, token and connections. Writes JSON: seconds for all of them, the
milliseconds of each answer, and how many had which status.
"""

import asyncio
import json
import sys
import time
from collections import Counter
from collections.abc import Iterator


async def _keep_asking(job: dict, paths: Iterator[str], took_ms: list[float], statuses: Counter[int]) -> None:
    reader, writer = await asyncio.open_connection(job["host"], job["port"])
    for path in paths:
        start = time.perf_counter()
        writer.write(
            f"GET {path} HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer {job['token']}\r\n\r\n".encode()
        )
        head = (await reader.readuntil(b"\r\n\r\n")).lower()
        length = head.partition(b"content-length:")[2].partition(b"\r\n")[0]
        await reader.readexactly(int(length or 0))
        took_ms.append((time.perf_counter() - start) * 1000)
        statuses[int(head[9:12])] += 1
    writer.close()
    await writer.wait_closed()


async def main() -> None:
    """Ask for all paths over the connections that the job allows."""
    job = json.load(sys.stdin)
    paths, took_ms, statuses = iter(job["paths"]), [], Counter()
    start = time.perf_counter()
    await asyncio.gather(*(_keep_asking(job, paths, took_ms, statuses) for _ in range(job["connections"])))
    print(json.dumps({"seconds": time.perf_counter() - start, "took_ms": took_ms, "statuses": statuses}))


if __name__ == "__main__":
    asyncio.run(main())
