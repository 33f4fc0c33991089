"""Every setting of Moneta, read once from the environment and passed down."""

from functools import lru_cache
from pathlib import Path
from typing import Any, Final, Literal, Self
from urllib.parse import urlsplit

from pydantic import (
    AliasChoices,
    Field,
    SecretStr,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic_settings import BaseSettings, SettingsConfigDict

from app.setting_types import (
    AnyOrigins,
    HeaderSecret,
    HttpUrl,
    HttpUrls,
    Logins,
    Origin,
    Origins,
    PostgresUrl,
    RedisUrl,
    Texts,
    as_origin,
    is_text,
    plain,
)

MIN_METRICS_TOKEN_BYTES = 16
PUBLISHED_DATABASE_PASSWORD = "change-me"  # noqa: S105  # what it is good for is to be refused

_LOOPBACK: Final = ("localhost", "127.0.0.1", "[::1]")
_OWN_HOSTS: Final = ("localhost", "127.0.0.1", "::1")
_PREFIX: Final = "MONETA_"
_TEN_YEARS_S: Final = 10 * 365 * 86400
_LARGEST: Final = 2**53
_TWO_NAMES: Final = {"MONETA_HOST": "MONETA_HOST or HOST", "MONETA_PORT": "MONETA_PORT or PORT"}


class Settings(BaseSettings):
    """`MONETA_*` variables; `HOST`, `PORT` are honoured bare as well. Durations end in `_s`, sizes in `_bytes`."""

    model_config = SettingsConfigDict(
        env_prefix=_PREFIX,
        frozen=True,
        extra="ignore",
        # `NAME=` in an `.env` file leaves it unset.
        env_ignore_empty=True,
        allow_inf_nan=False,
    )

    environment: Literal["development", "production"] = "development"
    home: Path = Path(".moneta")
    archive_folder: Path | None = Field(
        None, description="Where old events of projects are written, for all workers; unset: archives in MONETA_HOME."
    )
    host: str = Field("127.0.0.1", validation_alias=AliasChoices("MONETA_HOST", "HOST"))
    port: int = Field(8000, ge=0, le=65535, validation_alias=AliasChoices("MONETA_PORT", "PORT"))
    public_url: Origin | None = Field(
        None, description="The origin that browsers see; default http://host:port, and in development loopback's names."
    )
    allowed_origins: Origins = Field((), description="Further origins that may call with cookies.")
    cors_origins: AnyOrigins | None = Field(
        None,
        description="Origins that may call without cookies, or *; default: * in development, none in production.",
    )
    trusted_proxies: str = Field("", description="Peers whose X-Forwarded-For is trusted: addresses, commas.")
    keep_alive_s: int = Field(
        75, gt=0, description="How long an idle connection is kept; longer than a proxy in front keeps it, mostly 60 s."
    )

    database_url: PostgresUrl | None = Field(None, description="Unset: the embedded Postgres.")
    database_role: str = Field(
        "moneta_app",
        description="The role every pooled connection assumes: moneta_app, which migrations grant to, or a member.",
    )
    database_pool_size: int = Field(16, ge=1, le=200)
    database_waiting_limit: int = Field(
        4000, ge=10, description="Reads and writes that may wait for a connection; further ones are refused."
    )
    database_timeout_s: float = Field(10.0, gt=0)
    redis_url: RedisUrl | None = Field(None, description="Unset: the embedded Valkey.")

    secret_key: SecretStr | None = Field(None, description="Signs access tokens; at least 32 bytes.")
    key_encryption_keys: SecretStr | None = Field(
        None, description="`id:base64,...`; the first encrypts, the others still decrypt."
    )
    access_token_ttl_s: int = Field(3600, gt=0)
    refresh_token_ttl_s: int = Field(30 * 86400, gt=0)
    otp_ttl_s: int = Field(600, gt=0)
    otp_max_guesses: int = Field(5, ge=1)
    login_attempts: int = Field(5, ge=1)
    login_window_s: int = Field(900, gt=0)

    smtp_url: SecretStr | None = Field(None, description="Unset: mail goes to the mailbox shown at /dev/mail.")
    mail_from: str = "Moneta <no-reply@moneta.example>"

    body_limit_bytes: int = Field(256 * 1024, gt=0)
    query_token_limit: int = Field(2000, gt=0)
    query_depth_limit: int = Field(12, gt=0)
    query_alias_limit: int = Field(30, gt=0)
    query_selection_limit: int = Field(20_000, gt=0)
    query_cost_limit: int = Field(20_000, gt=0)
    query_timeout_s: float = Field(15.0, gt=0)
    introspection: bool | None = Field(None, description="For anonymous callers; default: not in production.")
    socket_init_timeout_s: float = Field(5.0, gt=0)
    socket_subscription_limit: int = Field(100, gt=0)
    socket_viewer_limit: int = Field(
        20, gt=0, description="Sockets that one user may have open to one process; and as many streams of events."
    )
    socket_address_limit: int = Field(
        100,
        gt=0,
        description="Anonymous sockets from one address to one process; as many that have not begun; as many streams.",
    )
    socket_accept_rate: int = Field(2000, gt=0, description="Sockets accepted in a second; as many at once.")
    socket_address_accept_rate: int = Field(200, gt=0, description="The same for one address.")
    socket_drain_s: float = Field(10.0, gt=0, description="How long a client may be behind its events.")
    socket_ping_s: float = Field(
        6.5, gt=0, description="How often a socket is pinged, and how long it may take to answer."
    )
    socket_token_warning_s: float = Field(
        60.0, ge=0, description="How long before its token expires a socket is warned; at most a third of its life."
    )
    stream_replay_limit: int = Field(
        10_000, gt=0, description="Events that a subscription may go back; beyond, the data must be read again."
    )
    stream_memory_limit: int = Field(
        1000, gt=0, description="Newest events of a stream that a process keeps for clients that reconnect."
    )

    stream_socket_cost_limit: int = Field(
        20_000, gt=0, description="What the subscriptions of one connection may cost in a second together."
    )
    stream_viewer_cost_limit: int = Field(40_000, gt=0, description="The same for one user in one process.")
    stream_address_cost_limit: int = Field(
        40_000, gt=0, description="The same for the anonymous callers of one address in one process."
    )

    miner_email: str | None = Field(None, description="Whose wallet earns the rewards; unset: no mining here.")
    mining_hashes_per_s: int = Field(2000, gt=0, description="The worker's hash rate is throttled to this.")
    coinbase_maturity: int = Field(10, ge=0, description="Confirmations before a reward can be spent. Consensus.")

    alert_limit: int = Field(500, ge=1, le=100_000, description="Alerts that one user may have.")
    watchlist_limit: int = Field(200, ge=1, le=1000, description="Tokens on one user's watchlist.")
    bot_limit: int = Field(50, ge=1, le=1000, description="Bots that one user may have.")
    tenant_limit: int = Field(10, ge=1, le=1000, description="Tenants that one user may own.")
    portfolio_limit: int = Field(50, ge=1, le=1000, description="Portfolios that one user may have.")
    exchange_account_limit: int = Field(
        10, ge=1, le=100, description="Accounts at exchanges that one user may have connected."
    )
    exchange_address: HttpUrl | None = Field(
        None, description="Stands in for every exchange: of a stub on loopback, for tests. Refused in production."
    )
    quote_age_s: float = Field(60.0, ge=1, le=86400, description="With a quote older than this no order is taken on.")

    chain_symbol: str = Field("BTC", description="The token that stands for the ledger's coin in analyses and alerts.")
    research_url: HttpUrl | None = Field(
        None, description="An OpenAI-compatible `/v1` address that writes the research; unset: it is composed by rule."
    )
    research_key: HeaderSecret | None = Field(None, description="Its key, if it requires one.")
    research_model: str | None = Field(None, description="Its model; required with MONETA_RESEARCH_URL.")
    research_timeout_s: float = Field(
        8.0, gt=0, le=8.0, description="How long it may take to write; then the brief is composed."
    )

    market_provider: Literal["simulated", "coingecko", "coinmarketcap"] = Field(
        "simulated", description="The provider of prices."
    )
    market_token_limit: int = Field(250, ge=1, le=250, description="How many of the largest tokens are listed.")
    market_period_s: float | None = Field(
        None, gt=0, description="Seconds between two requests for prices; default: that of the provider."
    )
    market_seed: int = Field(21, ge=0, lt=2**63, description="The simulated market is the same for the same seed.")
    market_quote_age_s: float = Field(900.0, gt=0, description="A quote older than this is rejected.")
    market_silence_s: float = Field(
        300.0, gt=0, description="How long a provider may fail before the health check `apis` fails."
    )
    coingecko_url: HttpUrl = Field("https://api.coingecko.com/api/v3", description="Paid plans have another.")
    coingecko_key: HeaderSecret | None = Field(
        None,
        description="Optional for prices. With it, or as the provider of prices, it supplies derivatives and DeFi.",
    )
    coingecko_requests_per_minute: int = Field(10, gt=0, description="What the plan allows.")
    coinmarketcap_url: HttpUrl = "https://pro-api.coinmarketcap.com"
    coinmarketcap_key: HeaderSecret | None = Field(None, description="Required if it is the market's provider.")
    coinmarketcap_requests_per_minute: int = Field(30, gt=0, description="What the plan allows.")
    lunarcrush_url: HttpUrl = "https://lunarcrush.com/api4/public"
    lunarcrush_key: HeaderSecret | None = Field(None, description="Unset: no data about social media.")
    lunarcrush_requests_per_minute: int = Field(10, gt=0, description="What the plan allows.")
    provider_timeout_s: float = Field(10.0, gt=0, description="For each request to a provider.")
    provider_attempts: int = Field(4, ge=1, le=10, description="Attempts before a request to a provider has failed.")

    news_feeds: HttpUrls = Field((), description="Addresses of RSS and Atom feeds: commas, or JSON.")
    news_timeout_s: float = Field(20.0, gt=0, description="How long one feed may take.")
    news_limit_bytes: int = Field(4 * 1024 * 1024, gt=0, description="How large one feed may be, unpacked.")
    news_from_private_networks: bool = Field(
        False, description="Whether feeds may be on loopback or private addresses, where our own servers are."
    )

    demo_logins: Logins = Field(
        (), description="Label, e-mail, password: offered in one click by the IDE. JSON. `make serve` sets it."
    )

    demo_access_codes: Texts = Field(
        (),
        description="Codes to register with, offered by the IDE: commas, or JSON. `make serve` sets it.",
    )

    demo_days: int = Field(
        30, ge=1, le=60, description="How far back the demo's candles of a minute go; those of a day 12 times as far."
    )

    metrics_token: SecretStr | None = Field(
        None,
        description="What /metrics is read with, as a bearer token; unset: in development by who is on this machine, "
        "in production by nobody.",
    )

    log_format: Literal["console", "json"] = "json"
    log_level: Literal["debug", "info", "warning", "error"] = "info"

    @property
    def archives(self) -> Path:
        """Where old events of projects are written."""
        return self.archive_folder or self.home / "archives"

    @property
    def production(self) -> bool:
        """Whether this is a public deployment."""
        return self.environment == "production"

    @property
    def introspection_for_anonymous(self) -> bool:
        """The introspection policy for anonymous callers; it covers suggestions as well."""
        return not self.production if self.introspection is None else self.introspection

    @property
    def origin(self) -> str:
        """Our origin, as a browser sends it: scheme, host and port."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return self.public_url or as_origin(f"http://{host}:{self.port}")

    @property
    def own_origins(self) -> tuple[str, ...]:
        """Our origins: the configured one; in development without one, also the names of loopback."""
        if self.public_url or self.production:
            return (self.origin,)
        return (self.origin, *(as_origin(f"http://{name}:{self.port}") for name in _LOOPBACK))

    @property
    def anonymous_origins(self) -> tuple[str, ...]:
        """Whose pages may call without cookies."""
        if self.cors_origins is None:
            return () if self.production else ("*",)
        return self.cors_origins

    @field_validator("*", mode="before")
    @classmethod
    def _is_text(cls, value: Any) -> Any:
        if (text := plain(value)) is not None and not is_text(text):
            raise ValueError("this holds control characters, or bytes that are no UTF-8")
        return value

    @field_validator("*")
    @classmethod
    def _is_of_a_size(cls, value: Any, info: ValidationInfo) -> Any:
        largest = _TEN_YEARS_S if (info.field_name or "").endswith("_s") else _LARGEST
        if isinstance(value, int | float) and value > largest:
            raise ValueError(f"this is larger than {largest:,}")
        return value

    @model_validator(mode="after")
    def _secrets_that_are_needed(self) -> Self:
        if self.production and not (self.secret_key and self.key_encryption_keys):
            raise ValueError("production needs MONETA_SECRET_KEY and MONETA_KEY_ENCRYPTION_KEYS")
        if self.exchange_address and (self.production or urlsplit(self.exchange_address).hostname not in _OWN_HOSTS):
            raise ValueError("MONETA_EXCHANGE_ADDRESS is a stub's, on 127.0.0.1, and never in production")
        if self.production and f":{PUBLISHED_DATABASE_PASSWORD}@" in (self.database_url or ""):
            raise ValueError("MONETA_DATABASE_URL has a password that .env.example once published")
        if self.metrics_token and len(self.metrics_token.get_secret_value().encode()) < MIN_METRICS_TOKEN_BYTES:
            raise ValueError(f"MONETA_METRICS_TOKEN must have at least {MIN_METRICS_TOKEN_BYTES} bytes")
        if self.market_provider == "coinmarketcap" and self.coinmarketcap_key is None:
            raise ValueError("MONETA_MARKET_PROVIDER=coinmarketcap needs MONETA_COINMARKETCAP_KEY")
        if self.secret_key and len(self.secret_key.get_secret_value().encode()) < 32:
            raise ValueError("MONETA_SECRET_KEY must have at least 32 bytes")
        return self


@lru_cache(maxsize=1)
def load_settings() -> Settings:
    """The settings of this process. Raises BadSetting."""
    try:
        return Settings()
    except ValidationError as error:
        # Without its cause: an exception chain can end up in a log, and pydantic quotes invalid values.
        raise BadSetting(_reason(error)) from None


class BadSetting(Exception):
    """A setting cannot be used; says which and why in one line, and quotes no value."""


def _reason(error: ValidationError) -> str:
    first = error.errors(include_url=False, include_context=False, include_input=False)[0]
    message = first["msg"].removeprefix("Value error, ")
    if not first["loc"]:
        return message
    name = str(first["loc"][0])
    # Where a setting has two names pydantic says the first, whichever was given.
    names = _TWO_NAMES.get(name, name if name.isupper() else f"{_PREFIX}{name.upper()}")
    return f"{names}: {message}"
