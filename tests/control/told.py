"""What an organization's pages were told."""

from typing import Any

import msgspec
from msgspec import Struct
from redis.asyncio import Redis

from control.events.announcing import Event
from tests.control.conftest import Account

WAIT_MS = 20_000


class Told(Struct, frozen=True):
    """An event as it is kept."""

    id: str
    """Begins with the time of its arrival, in milliseconds."""
    type: str
    target: str


async def told(redis: Redis, account: Account, last: str) -> list[Told]:
    """The events of the account's organization, up to the first of type `last`, once it has come."""
    key, found = f"headrace:events:{account.organization_id}", [Told("0-0", "", "")]
    while found[-1].type != last:
        answer: Any = await redis.xread({key: found[-1].id}, count=1, block=WAIT_MS)
        assert answer, f"waited in vain for {last}: {found}"
        id, fields = answer[0][1][0]
        event = msgspec.json.decode(fields[b"event"], type=Event)
        found.append(Told(id.decode(), event.type, event.target))
    return found[1:]
