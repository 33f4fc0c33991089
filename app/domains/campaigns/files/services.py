"""Storing files, and reading them. A part is encrypted before it is stored."""

import asyncio
import secrets
from collections.abc import AsyncGenerator, AsyncIterator
from dataclasses import dataclass, field
from typing import Final
from uuid import UUID, uuid4

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from app.domains.campaigns.files.model import (
    CHUNK_BYTES,
    KEPT,
    MAX_UPLOADS,
    SENT_WITHIN,
    FileEmpty,
    FileGone,
    FileKind,
    FileTooLarge,
    StoredFile,
    TooManyUploads,
)
from app.domains.campaigns.files.statements import FileSql
from app.domains.system.services import SettingsCache
from app.domains.tenancy.tenants.model.tenants import MemberRole, Tenancy
from app.domains.tenancy.tenants.services.access import Access, system_scope
from app.kit.clock import Clock
from app.kit.db import SYSTEM, Database, Tx

DELETED_AT_ONCE: Final = 10
_NONCE_BYTES: Final = 12


@dataclass(frozen=True)
class Files:
    """The files of all tenants. Nobody but Moneta reads their rows."""

    database: Database
    clock: Clock
    access: Access
    settings: SettingsCache
    secret: bytes = field(repr=False)

    @property
    def limit_bytes(self) -> int:
        """How large a file that is sent can be, as admins have set it."""
        return self.settings.current.max_upload_bytes

    async def upload(self, tenancy: Tenancy, body: AsyncIterator[bytes]) -> StoredFile:
        """Stores a file that is sent; nothing of it is left if that fails. No connection is held while more of it is
        awaited. Raises Forbidden, TenantNotActive, TooManyUploads, FileTooLarge, FileEmpty, and what `body` does.
        """
        scope, id = system_scope(tenancy), uuid4()

        async def begin(tx: Tx) -> None:
            await self.access.check(tx, tenancy, MemberRole.ADMIN)
            await self.begin_upload(tx, tenancy, id)

        await self.database.write(scope, begin)
        try:
            number = size = 0
            async for part in _parts(body):
                size += len(part)
                if size > self.limit_bytes:
                    raise FileTooLarge(self.limit_bytes)
                sealed = self.sealed(id, number, part)
                await self.database.write(
                    scope,
                    lambda tx, row=(id, number, sealed, len(part)): self.append(tx, row),  # type: ignore[misc]
                )
                number += 1
            if not size:
                raise FileEmpty
            return await self.database.write(scope, lambda tx: self.complete(tx, id))
        except BaseException:
            # A client that has gone has cancelled this.
            await asyncio.shield(self.database.write(scope, lambda tx: tx.execute(FileSql.delete_file, id)))
            raise

    async def begin_upload(self, tx: Tx, tenancy: Tenancy, id: UUID) -> None:
        """A file that is going to be imported, without content. Raises TooManyUploads."""
        row, now = (tenancy.tenant_id, tenancy.livemode), self.clock.now()
        await tx.execute(FileSql.lock_files_of, f"{tenancy.tenant_id}:{tenancy.livemode}")
        [waiting] = await tx.fetch(FileSql.count_uploads, *row, now)
        if waiting >= MAX_UPLOADS:
            raise TooManyUploads
        await tx.execute(FileSql.insert_file, id, *row, FileKind.UPLOAD, now, now + SENT_WITHIN)

    async def append(self, tx: Tx, row: tuple[UUID, int, bytes, int]) -> None:
        """The next part of a file: its ID, number, what `sealed` gave, and its bytes. Raises FileGone."""
        if await tx.fetch_one(FileSql.append_chunk, *row) is None:
            raise FileGone

    async def complete(self, tx: Tx, id: UUID) -> StoredFile:
        """Notes that a file has all of its parts. Raises FileGone."""
        now = self.clock.now()
        stored = await tx.fetch_one(FileSql.complete_file, id, now, now + KEPT)
        if stored is None:
            raise FileGone
        return stored

    async def stored(self, id: UUID) -> StoredFile:
        """A file. Raises FileGone."""
        found = await self.database.read(SYSTEM, lambda tx: tx.fetch_one(FileSql.file_by_id, id))
        if found is None:
            raise FileGone
        return found

    async def parts(self, id: UUID, count: int) -> AsyncGenerator[bytes, None]:
        """The parts of a file, each read when it is asked for. Raises FileGone."""
        for number in range(count):
            read = (FileSql.chunk_of_file, id, number)
            yield self.opened(
                id,
                number,
                await self.database.read(SYSTEM, lambda tx, read=read: tx.fetch_one(*read)),  # type: ignore[misc]
            )

    def sealed(self, id: UUID, number: int, part: bytes) -> bytes:
        """A part as it is stored."""
        nonce = secrets.token_bytes(_NONCE_BYTES)
        return nonce + AESGCM(self.secret).encrypt(nonce, part, _aad(id, number))

    def opened(self, id: UUID, number: int, sealed: bytes | None) -> bytes:
        """A part as it was given. Raises FileGone for one that is not there, or was changed."""
        if sealed is None:
            raise FileGone
        try:
            return AESGCM(self.secret).decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], _aad(id, number))
        except InvalidTag:
            raise FileGone from None

    async def delete_expired(self) -> str:
        """Deletes files whose time is over."""
        deleted = 0
        while True:
            now = self.clock.now()
            [count] = await self.database.write(
                SYSTEM,
                lambda tx, now=now: tx.fetch(FileSql.delete_expired_files, now, DELETED_AT_ONCE),  # type: ignore[misc]
            )
            deleted += count
            if count < DELETED_AT_ONCE:
                return f"{deleted} files"


def _aad(id: UUID, number: int) -> bytes:
    return f"campaign-file:{id}:{number}".encode()


async def _parts(body: AsyncIterator[bytes]) -> AsyncGenerator[bytes, None]:
    """What arrives, in parts of one size."""
    held = bytearray()
    async for piece in body:
        held += piece
        while len(held) >= CHUNK_BYTES:
            yield bytes(held[:CHUNK_BYTES])
            del held[:CHUNK_BYTES]
    if held:
        yield bytes(held)
