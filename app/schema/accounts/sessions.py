"""Sessions: logging in, refreshing tokens and logging out."""

from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any, cast

import strawberry

from app.domains.accounts import loaders, model
from app.domains.accounts.services import AccountsServices
from app.domains.accounts.services.devices import ReturningClient
from app.domains.accounts.services.sessions import LoggedIn
from app.engine.declarations.maintenance import stays_open
from app.engine.declarations.nodes import Node, key_of, node_type
from app.engine.declarations.pages import Connection
from app.engine.declarations.problems import InvalidInput, NotFound, Problem, RateLimited, mutation, problem_type
from app.engine.declarations.relations import paged
from app.kit import errors
from app.schema.context import Context, Info
from app.schema.enums import declare_enum

if TYPE_CHECKING:
    from app.schema.viewer import Viewer

_ViewerRef = Annotated["Viewer", strawberry.lazy("app.schema.viewer")]


class TokenDelivery(StrEnum):
    """How a client receives its tokens."""

    COOKIE = "cookie"
    BEARER = "bearer"


declare_enum(
    TokenDelivery,
    COOKIE="As HttpOnly cookies, which scripts cannot read. The tokens of the payload are null. Only for HTTP requests"
    " from Moneta's own pages: neither a WebSocket nor a stream of events can set cookies.",
    BEARER="In the payload, to be sent in the `Authorization` header.",
)


def _is_current(root: Any, info: Info) -> bool:
    viewer = info.context.viewer
    return viewer is not None and viewer.session_id == root.id


@node_type(by=loaders.session_by_id)
class LoginSession(Node):
    """A session in which the viewer is logged in."""

    is_current: bool = strawberry.field(
        resolver=_is_current, description="Whether this request belongs to the session."
    )
    created_at: datetime = strawberry.field(description="When the user logged in.")
    refreshed_at: datetime = strawberry.field(description="When the session received its current tokens.")
    expires_at: datetime = strawberry.field(description="When the current access token expires.")
    refresh_expires_at: datetime = strawberry.field(description="When the current refresh token expires.")
    ip_address: str | None = strawberry.field(
        description="The IP address of the last login or refresh. Null if unknown."
    )
    user_agent: str | None = strawberry.field(description="The user agent of the client. Null if it sent none.")


@strawberry.input
class LoginInput:
    """The credentials to log in with."""

    email: str = strawberry.field(description="The e-mail address. Case and surrounding whitespace are ignored.")
    password: str = strawberry.field(description="The password.")
    delivery: TokenDelivery | None = strawberry.field(
        default=None,
        description="How to deliver the tokens. Null: as cookies if the request came by HTTP from one of Moneta's own"
        " pages, otherwise in the payload.",
    )
    device_token: str | None = strawberry.field(
        default=None,
        description="The `deviceToken` of an earlier login: failed logins of other clients then do not slow down this"
        " device. Null: the one in the browser's cookie.",
    )


@strawberry.type
class LoginPayload:
    """The user is logged in."""

    viewer: _ViewerRef = strawberry.field(description="The viewer from now on, for the rest of this response too.")
    access_token: str | None = strawberry.field(description="A JWT. Null if it was set as a cookie.")
    refresh_token: str | None = strawberry.field(
        description="The refresh token, which works once. Null if it was set as a cookie."
    )
    access_token_expires_at: datetime = strawberry.field(description="When the access token expires.")
    device_token: str | None = strawberry.field(
        description="A token to store for the next login on this device. Valid for 180 days, and until the password"
        " changes. Null if it was set as a cookie."
    )


@strawberry.input
class RefreshSessionInput:
    """The session to refresh."""

    refresh_token: str | None = strawberry.field(
        default=None, description="The latest refresh token, which works once. Null: the one in the browser's cookie."
    )
    delivery: TokenDelivery | None = strawberry.field(
        default=None,
        description="How to deliver the next tokens. Null: as the refresh token was delivered. A refresh token from a"
        " cookie is replaced in the cookie.",
    )


@strawberry.type
class RefreshSessionPayload:
    """The session has new tokens. The previous ones are no longer valid."""

    viewer: _ViewerRef = strawberry.field(description="The viewer, for the rest of this response too.")
    access_token: str | None = strawberry.field(description="A JWT. Null if it was set as a cookie.")
    refresh_token: str | None = strawberry.field(
        description="The refresh token, which works once. Null if it was set as a cookie."
    )
    access_token_expires_at: datetime = strawberry.field(description="When the access token expires.")


@strawberry.type
class LogoutPayload:
    """The caller is logged out, and may have been before."""

    is_logged_out: bool = strawberry.field(description="Always true.")


@strawberry.type
class LogoutEverywherePayload:
    """All sessions of the viewer were ended, including this one."""

    ended_sessions: int = strawberry.field(
        name="endedSessionCount", description="The number of sessions that were ended."
    )


@strawberry.input
class RevokeSessionInput:
    """The session to end."""

    id: strawberry.ID = strawberry.field(description="The global ID of one of the viewer's sessions.")


@strawberry.type
class RevokeSessionPayload:
    """The session was ended. Its connections close within a second."""

    deleted_id: strawberry.ID = strawberry.field(description="The global ID of the ended session.")


@problem_type(model.BadCredentials)
class BadCredentials(Problem):
    """The e-mail address is unknown, or the password is wrong."""


@problem_type(model.SessionEnded)
class SessionEnded(Problem):
    """The refresh token is unknown, used, or has expired. Using one a second time ends its session."""


@strawberry.type
class SessionMutation:
    """Logging in, refreshing tokens and logging out."""

    @mutation(LoginPayload, InvalidInput, BadCredentials, RateLimited, metadata=stays_open())
    async def login(self, info: Info, input: LoginInput) -> Any:
        """Starts a session. The rest of the document runs as the viewer.

        Limited to 5 failed logins in 15 minutes for each account and IP address, or account and known device.
        Successful logins do not count. After many failed logins for an account or from an IP address, further logins
        from clients that are not known there are slowed down.
        """
        context = info.context
        default = TokenDelivery.COOKIE if context.from_browser else TokenDelivery.BEARER
        delivery = _deliverable(context, input.delivery or default)
        proof = ReturningClient(
            context.client.ip,
            context.client.user_agent,
            device_token=input.device_token or context.device_token,
            refresh_token=context.refresh_token,
        )
        opened = await context.services[AccountsServices].sessions.login(input.email, input.password, proof)
        device_token = None if delivery is TokenDelivery.COOKIE else opened.tokens.device_token
        return LoginPayload(**await _deliver(context, opened, delivery), device_token=device_token)

    @mutation(RefreshSessionPayload, InvalidInput, SessionEnded, metadata=stays_open())
    async def refresh_session(self, info: Info, input: RefreshSessionInput) -> Any:
        """Issues new tokens for the session. Using a refresh token a second time ends the session."""
        context = info.context
        token = input.refresh_token or context.refresh_token
        if token is None:
            raise model.SessionEnded
        default = TokenDelivery.BEARER if input.refresh_token else TokenDelivery.COOKIE
        delivery = _deliverable(context, input.delivery or default)
        if not input.refresh_token and delivery is TokenDelivery.BEARER:
            # Otherwise a malicious script in our page could read the token that the cookie hides from it.
            raise errors.InvalidInput("delivery", "A refresh token from a cookie is replaced in the cookie only.")
        try:
            renewed = await context.services[AccountsServices].sessions.refresh(token, context.client)
        except model.SessionEnded:
            # The cookies are no longer valid: the browser must delete them.
            context.session_ended = input.refresh_token is None
            raise
        return RefreshSessionPayload(**await _deliver(context, renewed, delivery))

    @mutation(LogoutPayload, metadata=stays_open())
    async def logout(self, info: Info) -> Any:
        """Ends the session of the access token or of the browser's cookies."""
        context = info.context
        sessions = context.services[AccountsServices].sessions
        if context.viewer is not None:
            await sessions.logout(context.viewer)
        elif context.refresh_token is not None:
            await sessions.logout_by_refresh_token(context.refresh_token, context.client)
        await _leave(context)
        return LogoutPayload(is_logged_out=True)

    @mutation(LogoutEverywherePayload)
    async def logout_everywhere(self, info: Info) -> Any:
        """Ends all sessions of the viewer, including this one."""
        context = info.context
        ended = await context.services[AccountsServices].sessions.logout_everywhere(context.require_viewer())
        await _leave(context)
        return LogoutEverywherePayload(ended_sessions=ended)

    @mutation(RevokeSessionPayload, NotFound)
    async def revoke_session(self, info: Info, input: RevokeSessionInput) -> Any:
        """Ends one of the viewer's sessions."""
        context = info.context
        viewer = context.require_viewer()
        session_id = key_of(input.id, LoginSession)
        await context.services[AccountsServices].sessions.revoke(viewer, session_id)
        if session_id == viewer.session_id:
            await _leave(context)
        return RevokeSessionPayload(deleted_id=input.id)


def _deliverable(context: Context, delivery: TokenDelivery) -> TokenDelivery:
    """Returns `delivery`. Raises InvalidInput, before a session changes, if the client could not receive its tokens."""
    if delivery is TokenDelivery.COOKIE and not context.from_browser:
        raise errors.InvalidInput(
            "delivery", "Cookies can be set by an HTTP response to a page of ours only: ask for BEARER."
        )
    return delivery


async def _deliver(context: Context, session: LoggedIn, delivery: TokenDelivery) -> dict[str, Any]:
    """Returns the fields of a payload. The transport sets the cookies, from the tokens in the context."""
    await context.become(session.viewer)
    tokens = session.tokens
    context.session_ended = False
    context.reveals_secret = True
    context.new_session = tokens if delivery is TokenDelivery.COOKIE else None
    return {
        "viewer": cast(Any, session.viewer),
        "access_token": None if delivery is TokenDelivery.COOKIE else tokens.access_token,
        "refresh_token": None if delivery is TokenDelivery.COOKIE else tokens.refresh_token,
        "access_token_expires_at": tokens.access_expires_at,
    }


async def _leave(context: Context) -> None:
    """Makes the caller anonymous. The transport clears the cookies."""
    context.session_ended = True
    context.new_session = None
    await context.become(None)


@strawberry.type
class SessionViewer:
    """The viewer's sessions."""

    sessions: Connection[LoginSession] = paged(
        loaders.sessions_by_user, key="user_id", description="The sessions of the viewer, newest first."
    )
