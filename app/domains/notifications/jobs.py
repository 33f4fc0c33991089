"""The jobs of notifications."""

from app.domains.notifications.services import MAIL_JOB, Notifications
from app.kit.jobs import Job


def notification_jobs(notifications: Notifications) -> list[Job]:
    """The jobs that `Notifications` enqueues."""
    return [Job(MAIL_JOB, notifications.send_mails)]
