"""What can go wrong with accounts, as a client sees it."""

from app.domains.accounts import model
from app.engine.problems import Problem, problem_type


@problem_type(model.AccessCodeInvalid, description="The access code does not exist or has been used.")
class AccessCodeInvalid(Problem):
    """The access code does not exist or has been used."""


@problem_type(
    model.EmailTaken, description="The e-mail address has an account. Told only to who presents an unspent access code."
)
class EmailTaken(Problem):
    """The e-mail address has an account."""


@problem_type(model.BadCredentials, description="The e-mail address is unknown or the password is wrong.")
class BadCredentials(Problem):
    """The e-mail address is unknown or the password is wrong."""


@problem_type(model.VerificationInvalid, description="The code or link is wrong, used, replaced, or has expired.")
class VerificationInvalid(Problem):
    """The code or link is wrong, used, replaced, or has expired."""


@problem_type(
    model.SessionEnded, description="The refresh token is unknown, used, or has expired. A used one ends its session."
)
class SessionEnded(Problem):
    """The refresh token is unknown, used, or has expired."""


@problem_type(model.ResetInvalid, description="The link is wrong, used, replaced, or has expired.")
class ResetInvalid(Problem):
    """The link is wrong, used, replaced, or has expired."""


@problem_type(model.UsernameTaken, description="Somebody else has this username, in this or another spelling.")
class UsernameTaken(Problem):
    """Somebody else has this username."""


@problem_type(model.OwnRole, description="Nobody changes their own role.")
class OwnRole(Problem):
    """Nobody changes their own role."""
