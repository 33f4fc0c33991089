"""The scope in which SQL runs."""

from uuid import UUID

import msgspec


class Scope(msgspec.Struct, frozen=True):
    """The scope in which SQL runs: row-level security shows exactly what it may see.

    `PUBLIC` sees public rows, a user also sees their own, `SYSTEM` is Moneta itself (log-in, jobs, mining).
    `ip` and `user_agent` are for the audit log only.
    """

    user_id: UUID | None = None
    tenant_id: UUID | None = None
    api_key_id: UUID | None = None
    """The key by which a program acts in the tenant, in place of a user."""
    system: bool = False
    livemode: bool = True
    """Whether the data of a tenant that is seen is the real one, and not that of tests."""
    ip: str | None = None
    user_agent: str | None = None

    def settings(self) -> str:
        """One SELECT that sets the scope for the current transaction, as text without parameters."""
        values = {
            "app.user_id": str(self.user_id or ""),
            "app.tenant_id": str(self.tenant_id or ""),
            "app.api_key_id": str(self.api_key_id or ""),
            "app.system": "on" if self.system else "",
            "app.livemode": "" if self.livemode else "off",
            "app.ip": self.ip or "",
            "app.user_agent": (self.user_agent or "")[:512],
        }
        # The simple protocol has no parameters; it is what lets BEGIN and this share one round trip.
        calls = (f"set_config('{name}', {_literal(value)}, true)" for name, value in values.items() if value)
        return f"SELECT {', '.join(calls)}" if any(values.values()) else ""


PUBLIC = Scope()
SYSTEM = Scope(system=True)


def _literal(value: str) -> str:
    # A statement can contain neither NUL nor a lone surrogate.
    sendable = value.replace("\x00", "").encode("utf-8", "replace").decode()
    return "'" + sendable.replace("'", "''") + "'"
