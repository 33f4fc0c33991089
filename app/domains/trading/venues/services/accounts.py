"""Connecting accounts at exchanges, and disconnecting them. What they are reached with is shown to nobody."""

import hmac
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from uuid import UUID, uuid4

import msgspec

from app.domains.accounts.model import Viewer
from app.domains.trading.exchange.model import Reason
from app.domains.trading.exchanges.model import (
    EXCHANGES,
    MAX_CREDENTIAL_CHARS,
    MAX_LABEL_CHARS,
    PAID_TIERS,
    AccountStatus,
    Credentials,
    CredentialsRefused,
    ExchangeAccount,
    ExchangeAccountLimitReached,
    ExchangeAccountNotConnected,
    ExchangeUnavailable,
    NewAccount,
    PlanRequired,
    WithdrawalPermitted,
)
from app.domains.trading.orders.services.terms import system_scope
from app.domains.trading.portfolios.statements import PortfolioSql
from app.domains.trading.venues.model import BadKey, ConnectingTerms, SealedCredentials, VenueError
from app.domains.trading.venues.services.connector import Connector
from app.domains.trading.venues.statements import AccountSql
from app.kit.clock import Clock
from app.kit.crypto.envelope import Keyring, Sealed
from app.kit.db import SYSTEM, Database, Tx
from app.kit.errors import Faults, InvalidInput, NotFound
from app.kit.idempotency import KeyedRequest, Made, check_key, once_prepared
from app.kit.rewrapping import Stored, rewrap_all
from app.kit.text import is_storable
from app.kit.wake import Wake


@dataclass(frozen=True)
class ExchangeAccounts:
    """The accounts of all users."""

    database: Database
    clock: Clock
    keyring: Keyring
    connector: Connector
    wake: Wake
    limit: int
    secret: bytes = field(repr=False)
    """What digests of credentials are made with: the same request is known again by one."""

    async def connect(self, viewer: Viewer, new: NewAccount, idempotency_key: str) -> UUID:
        """Connects an account after it was tried; returns its ID.

        Raises InvalidInput, PlanRequired, ExchangeAccountLimitReached, CredentialsRefused, WithdrawalPermitted,
        ExchangeUnavailable, IdempotencyKeyReused.
        """

        @asynccontextmanager
        async def prepare() -> AsyncIterator[Callable[[Tx], Awaitable[Made]]]:
            checked = _checked(new)
            self._check(await self.database.read(SYSTEM, lambda tx: self._terms(tx, viewer)))
            may_withdraw, made = await self._try(checked), Made(uuid4())

            async def insert(tx: Tx) -> Made:
                await tx.execute(AccountSql.lock_accounts_of_user, str(viewer.user_id))
                self._check(await self._terms(tx, viewer))
                plain = msgspec.json.encode(checked.credentials)
                sealed = self.keyring.seal(plain, _aad(made.id, viewer.user_id))
                await tx.execute(
                    AccountSql.insert_account,
                    made.id,
                    viewer.user_id,
                    checked.exchange,
                    checked.label,
                    may_withdraw,
                    self.clock.now(),
                    sealed.kek_id,
                    sealed.wrapped_key,
                    sealed.ciphertext,
                )
                return made

            yield insert

        check_key(idempotency_key, lambda: _checked(new))
        # Of what is secret only a digest is kept, which nobody can make without Moneta's own secret.
        digest = hmac.new(self.secret, msgspec.json.encode(new.credentials), sha256).hexdigest()
        request = [new.exchange, new.label, digest]
        keyed = KeyedRequest.of(viewer.user_id, idempotency_key, "connectExchange", request)
        outcome = await once_prepared(self.database, system_scope(viewer), keyed, prepare, Made)
        return outcome.result.id

    async def disconnect(self, viewer: Viewer, id: UUID) -> None:
        """Cancels what is open at an account, and then forgets what it is reached with. Its portfolio stays, and trades
        no more. Raises NotFound, ExchangeAccountNotConnected.
        """

        async def work(tx: Tx) -> None:
            # Who places an order has locked the portfolio.
            portfolio_id = await tx.fetch_one(AccountSql.live_portfolio_of_account, id)
            if portfolio_id is not None:
                await tx.fetch(PortfolioSql.lock_portfolio, portfolio_id, viewer.user_id)
            status = await tx.fetch_one(AccountSql.lock_account, id, viewer.user_id)
            if status is None:
                raise NotFound(ExchangeAccount)
            if status != AccountStatus.CONNECTED:
                raise ExchangeAccountNotConnected
            await tx.execute(AccountSql.disconnect_account, id)
            await tx.execute(AccountSql.cancel_orders_of_account, id, Reason.DISCONNECTED, self.clock.now())
            # At once if nothing is open.
            await tx.execute(AccountSql.end_account, id, self.clock.now())
            tx.after_commit(self.wake.ring_soon)

        await self.database.write(system_scope(viewer), work)

    async def has_account(self, tx: Tx, user_id: UUID) -> bool:
        """Whether a user has a connected account."""
        return bool(await tx.fetch_one(AccountSql.has_account, user_id))

    async def credentials_of(self, account_id: UUID) -> Credentials | None:
        """What an account is reached with; None once it is disconnected. Raises SealBroken, UnknownKey."""
        found = await self.database.read(SYSTEM, lambda tx: tx.fetch_one(AccountSql.credentials_of_account, account_id))
        if found is None:
            return None
        plain = self.keyring.open(_sealed(found), _aad(found.account_id, found.user_id))
        return msgspec.json.decode(plain, type=Credentials)

    def rotate(self) -> AsyncGenerator[int, None]:
        """Rewraps the credentials that are not under the active key-encryption key; yields how many so far. Raises
        SealBroken or UnknownKey.
        """
        return rewrap_all(self.database, self.keyring, AccountSql.credentials_to_rewrap, _stored, self._store)

    async def _store(self, tx: Tx, ids: Sequence[UUID], wrapped: Sequence[bytes]) -> None:
        now = self.clock.now()
        await tx.execute(AccountSql.rewrap_credentials, self.keyring.active, list(ids), list(wrapped), now)

    async def _terms(self, tx: Tx, viewer: Viewer) -> ConnectingTerms:
        [terms] = await tx.fetch(AccountSql.terms_of_connecting, viewer.user_id, self.clock.now())
        return terms

    def _check(self, terms: ConnectingTerms) -> None:
        if terms.tier not in PAID_TIERS:
            raise PlanRequired
        if terms.accounts >= self.limit:
            raise ExchangeAccountLimitReached(self.limit)

    async def _try(self, new: NewAccount) -> bool | None:
        """Whether the key may withdraw; None: the exchange does not say. Raises CredentialsRefused,
        WithdrawalPermitted, ExchangeUnavailable.
        """
        client = await self.connector.open(new.exchange, new.credentials)
        try:
            await client.prepare()
            await client.balances()
            may_withdraw = await client.may_withdraw()
        except BadKey:
            raise CredentialsRefused from None
        except VenueError:
            raise ExchangeUnavailable from None
        finally:
            await client.close()
        if may_withdraw:
            raise WithdrawalPermitted
        return may_withdraw


def _checked(new: NewAccount) -> NewAccount:
    """The account as it is stored. Raises InvalidInput."""
    given, exchange = new.credentials, EXCHANGES[new.exchange]
    label = new.label.strip()
    with Faults() as faults:
        if not 1 <= len(label) <= MAX_LABEL_CHARS or not is_storable(label):
            faults.add("label", f"A label has 1 to {MAX_LABEL_CHARS} characters, and no control characters.")
        faults.check(_check_credential, given.api_key, "api_key")
        # A private key has lines.
        faults.check(_check_credential, given.secret, "secret", lines=True)
        if (given.passphrase is not None) is not exchange.needs_passphrase:
            needed = "requires one" if exchange.needs_passphrase else "has none"
            faults.add("passphrase", f"This exchange {needed}.")
        elif given.passphrase is not None:
            faults.check(_check_credential, given.passphrase, "passphrase")
    return msgspec.structs.replace(new, label=label)


def _check_credential(text: str, field: str, *, lines: bool = False) -> str:
    plain = text.replace("\n", "").replace("\r", "") if lines else text
    if not 1 <= len(text) <= MAX_CREDENTIAL_CHARS or not plain.isascii() or not plain.isprintable():
        raise InvalidInput(field, f"It has 1 to {MAX_CREDENTIAL_CHARS:,} printable ASCII characters.")
    return text


def _stored(found: SealedCredentials) -> Stored:
    return Stored(found.account_id, _sealed(found), _aad(found.account_id, found.user_id))


def _sealed(found: SealedCredentials) -> Sealed:
    return Sealed(kek_id=found.kek_id, wrapped_key=found.wrapped_key, ciphertext=found.ciphertext)


def _aad(account_id: UUID, user_id: UUID) -> bytes:
    return f"exchange-credentials:{account_id}:{user_id}".encode()
