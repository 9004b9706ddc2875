"""A client that may leave before its answer is whole."""

import asyncio

from starlette.types import Receive


async def while_there(receive: Receive, answering: asyncio.Task[None]) -> bool:
    """Wait until an answer is out, and end it where its client leaves first; whether it came to its own end."""
    leaving = asyncio.create_task(_left(receive))
    try:
        await asyncio.wait({answering, leaving}, return_when=asyncio.FIRST_COMPLETED)
        return answering.done()
    finally:
        answering.cancel()
        leaving.cancel()
        await asyncio.gather(answering, leaving, return_exceptions=True)


async def _left(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
