"""What can be asked of accounts, and done: the roots that `schema.root` merges."""

import strawberry

from app.schema.accounts.administering import AdministrationMutation, AdministrationQuery
from app.schema.accounts.registering import RegistrationMutation
from app.schema.accounts.sessions import SessionMutation
from app.schema.accounts.settling import OwnMutation


@strawberry.type(description="What can be read of accounts.")
class AccountsQuery(AdministrationQuery):
    """What can be read of accounts."""


@strawberry.type(description="What can be done with accounts.")
class AccountsMutation(RegistrationMutation, SessionMutation, OwnMutation, AdministrationMutation):
    """What can be done with accounts."""
