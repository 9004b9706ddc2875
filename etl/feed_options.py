"""How a feed is asked, as a source's TOML says it under [feed]."""

from pydantic import BaseModel, ConfigDict


class FeedOptions(BaseModel):
    """One feed over HTTP; frozen. It holds no secret: it names the environment variable that does."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    url: str
