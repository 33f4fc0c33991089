"""The house of accounts in the graph."""

from app.domains.accounts.house import ACCOUNTS as DOMAIN
from app.engine.declarations.key_scopes import NEVER, PUBLIC
from app.schema.accounts.access_codes import AccessCode, AccessCodeMutation, AccessCodeQuery
from app.schema.accounts.auth_log import AuthLogViewer
from app.schema.accounts.passwords import PasswordMutation, PasswordResetMutation
from app.schema.accounts.profile import ProfileMutation, ProfileViewer
from app.schema.accounts.registration import RegistrationMutation
from app.schema.accounts.scheduled_jobs import ScheduledJobQuery
from app.schema.accounts.sessions import LoginSession, SessionMutation, SessionViewer
from app.schema.accounts.settings import SettingMutation, SettingViewer
from app.schema.accounts.users import UserAccount, UserMutation, UserQuery, UserViewer
from app.schema.accounts.verification import VerificationMutation
from app.schema.composition import GraphHouse

ACCOUNTS = GraphHouse(
    domain=DOMAIN,
    query=(
        AccessCodeQuery,
        UserQuery,
        ScheduledJobQuery,
    ),
    mutation=(
        RegistrationMutation,
        VerificationMutation,
        PasswordResetMutation,
        SessionMutation,
        PasswordMutation,
        ProfileMutation,
        SettingMutation,
        AccessCodeMutation,
        UserMutation,
    ),
    viewer=(
        UserViewer,
        ProfileViewer,
        SessionViewer,
        AuthLogViewer,
        SettingViewer,
    ),
    nodes=(
        AccessCode,
        LoginSession,
        UserAccount,
    ),
    key_scopes={
        "*": NEVER,
        "UserAccount": PUBLIC,
    },
)
