"""Background jobs and scheduled maintenance of accounts."""

from collections.abc import Awaitable, Callable
from typing import Any

from app.domains.accounts.model import Client
from app.domains.accounts.services import AccountsServices
from app.domains.accounts.services.credentials import RESET_JOB
from app.domains.accounts.services.mail_queue import MAIL_JOB
from app.domains.accounts.services.verification import RESEND_JOB
from app.kit.jobs import Job, Schedule


def accounts_jobs(services: AccountsServices) -> list[Job]:
    """Returns the jobs that accounts enqueue. A job that runs twice at worst sends a mail twice."""

    def sealed(name: str, act: Callable[[dict[str, Any]], Awaitable[None]]) -> Job:
        async def handle(payload: dict[str, Any]) -> None:
            await act(services.mail_queue.open(name, payload))

        return Job(name, handle)

    async def resend(content: dict[str, Any]) -> None:
        await services.verification.resend(content["email"], _client(content))

    async def reset(content: dict[str, Any]) -> None:
        await services.credentials.send_reset(content["email"], _client(content))

    return [sealed(MAIL_JOB, services.mail_queue.deliver), sealed(RESEND_JOB, resend), sealed(RESET_JOB, reset)]


def accounts_schedules(services: AccountsServices) -> list[Schedule]:
    """Returns the scheduled maintenance of accounts."""
    maintenance = services.maintenance
    return [
        Schedule("sessions", "0 2 * * *", "Deletes sessions that expired 30 days ago", maintenance.delete_old_sessions),
        Schedule(
            "otp-codes", "15 * * * *", "Deletes one-time codes 24 hours after expiry", maintenance.delete_old_secrets
        ),
        Schedule("auth-logs", "40 2 * * *", "Deletes auth logs after 90 days", maintenance.delete_old_auth_logs),
    ]


def _client(content: dict[str, Any]) -> Client:
    return Client(ip=content["ip"], user_agent=content["user_agent"])
