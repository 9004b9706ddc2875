"""Everything an operator may set: one frozen tree, built by the command line and handed down."""

from pathlib import Path

from psycopg.conninfo import conninfo_to_dict
from pydantic import BaseModel, ConfigDict, Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

_ROOT = Path(__file__).parents[2]  # the checkout, or the folder that the wheel is installed in
_CARRIED = _ROOT / "onemap"


def _ours(in_checkout: str, in_wheel: str) -> Path:
    """What a wheel carries, or where a checkout has it."""
    return _CARRIED / in_wheel if _CARRIED.is_dir() else _ROOT / in_checkout


class DbSettings(BaseModel):
    """The database. Without a URL the command runs a private PostGIS of its own."""

    model_config = ConfigDict(frozen=True)

    url: str | None = Field(None, description="PostgreSQL URL of a PostGIS >= 3.3; none: the private cluster")
    pool_size: int = Field(8, ge=1, description="connections of one server process")
    timeout_s: float = Field(10.0, gt=0, description="seconds that a request waits for the database")


class ServerSettings(BaseModel):
    """The HTTP server."""

    model_config = ConfigDict(frozen=True)

    host: str = Field("127.0.0.1", description="address to listen on")
    port: int = Field(8360, ge=0, le=65535, description="port to listen on")
    workers: int = Field(1, ge=1, description="server processes")
    connections: int = Field(10_000, ge=64, description="requests that one process has under way at a time")
    proxies: str = Field("", description="addresses and networks of proxies that say whom they ask for")
    public_url: str | None = Field(None, description="how clients reach it behind a proxy")


class LimitSettings(BaseModel):
    """What one caller may ask of one server process: so many at once, and so many a second in the long run."""

    model_config = ConfigDict(frozen=True)

    public_burst: float = Field(600.0, gt=0, description="asks at once of one address without a token")
    public_per_s: float = Field(30.0, gt=0, description="asks a second of one address without a token")
    token_burst: float = Field(2000.0, gt=0, description="asks at once with one token")
    token_per_s: float = Field(200.0, gt=0, description="asks a second with one token")
    wrong_tokens_burst: float = Field(20.0, gt=0, description="wrong tokens at once from one address")
    wrong_tokens_per_s: float = Field(0.2, gt=0, description="wrong tokens a second from one address")


class IntakeSettings(BaseModel):
    """Reports of citizens."""

    model_config = ConfigDict(frozen=True)

    public: bool = Field(default=False, description="whether anybody may report something, without a token")
    contact: str = Field("", description="whom those who build clients of Open311 can ask")


class CacheSettings(BaseModel):
    """Answers that are kept."""

    model_config = ConfigDict(frozen=True)

    memory_mb: int = Field(64, ge=1, description="megabytes of answers that one server process keeps in memory")
    disk_mb: int = Field(512, ge=1, description="megabytes of answers kept on disk below the home folder")


class PushSettings(BaseModel):
    """What is sent to other offices."""

    model_config = ConfigDict(frozen=True)

    private_targets: bool = Field(
        default=False, description="webhooks may go to closed networks, and by plain HTTP"
    )
    smtp_url: SecretStr | None = Field(
        None, description="mail server, like smtp://user:password@host:587; smtps:// begins with TLS"
    )
    mail_from: str = Field("onemap@localhost", description="mailbox that mails are from")


class Settings(BaseSettings):
    """Read from the environment: `ONEMAP_HOME`, `ONEMAP_CITY`, `ONEMAP_DB__URL`, `ONEMAP_SERVER__PORT` ..."""

    model_config = SettingsConfigDict(env_prefix="ONEMAP_", env_nested_delimiter="__", frozen=True, extra="forbid")

    home: Path = Field(Path("var"), description="folder for the private database, secrets and logs")
    cities: Path = Field(
        default_factory=lambda: _ours("data", "cities"), description="folder that holds one folder a city"
    )
    city: str = Field("toronto", pattern=r"^[a-z][a-z0-9_]{0,40}$", description="folder of the city served")
    screens: Path = Field(
        default_factory=lambda: _ours("frontend/dist", "screens"), description="folder of the built screens"
    )
    replay: bool = Field(
        default=True,
        description="whether a city that names a past is shown from then on as if it were now",
    )
    events_days: int = Field(7, ge=1, description="days that live events are kept for screens that come back")
    texts_days: int = Field(
        365, ge=1, description="days that reasons of moves are kept after their case, or measure, has ended"
    )
    db: DbSettings = DbSettings()
    server: ServerSettings = ServerSettings()
    limits: LimitSettings = LimitSettings()
    cache: CacheSettings = CacheSettings()
    push: PushSettings = PushSettings()
    intake: IntakeSettings = IntakeSettings()

    @property
    def city_folder(self) -> Path:
        """Folder of the city served."""
        return self.cities / self.city

    @property
    def database(self) -> str:
        """Name of the city's database in the private cluster."""
        return f"onemap_{self.city}"

    def heat_folder(self, url: str) -> Path:
        """Folder of the heat stores of the database at `url`, from which they can be built anew at any time."""
        return self.home / "heat" / self._database_at(url)

    def cache_folder(self, url: str) -> Path:
        """Folder of the answers that are kept of the database at `url`; it may be removed at any time."""
        return self.home / "cache" / self._database_at(url)

    def _database_at(self, url: str) -> str:
        return str(conninfo_to_dict(url).get("dbname", self.database))
