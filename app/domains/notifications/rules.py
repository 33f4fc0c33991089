"""The text of mails about notifications."""

from typing import Final

from app.domains.notifications.model import NotificationMail, NotificationType
from app.kit.mail import Message

MAILED_NOTIFICATIONS: Final = 50
"""A mail contains the text of this many notifications, and the number of the others."""
_SUMMARIES: Final = {NotificationType.ALERT: "of your alerts have fired"}


def mail_of(mail: NotificationMail) -> Message:
    """One mail about all of a user's notifications."""
    count = len(mail.titles)
    lines = [f"{title}\n{message}" for title, message in zip(mail.titles, mail.messages, strict=True)]
    if count > MAILED_NOTIFICATIONS:
        lines[MAILED_NOTIFICATIONS:] = [f"And {count - MAILED_NOTIFICATIONS} more: see your notifications."]
    subject = mail.titles[0] if count == 1 else f"{count} {_summary(mail.types)}"
    footer = 'Turn these mails off by putting {"email": false} into your setting `notifications`.'
    return Message(to=mail.email, subject=f"Moneta: {subject}"[:200], text="\n\n".join([*lines, footer]))


def _summary(types: list[str]) -> str:
    [*others, first] = set(types)
    return "new notifications" if others else _SUMMARIES.get(NotificationType(first), "new notifications")
