"""What participants and projects may be called. Pure."""

from app.domains.tenancy.tenants.rules import name as tenant_name
from app.kit.errors import InvalidInput


def name(text: str, field: str, most: int) -> str:
    """Trimmed. It shows as what it is, as the name of a tenant does. Raises InvalidInput."""
    if len(text) > 2 * most or len(text.strip()) > most:
        raise InvalidInput(field, f"It has 1 to {most} characters.")
    try:
        return tenant_name(text)
    except InvalidInput as refused:
        raise InvalidInput(field, refused.message) from None
