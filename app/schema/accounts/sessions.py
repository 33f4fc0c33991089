"""Logging in, staying so, and logging out."""

from typing import Any, cast

import strawberry

from app.domains.accounts import model
from app.domains.accounts.services.devices import ReturningClient
from app.domains.accounts.services.sessions import LoggedIn
from app.engine.nodes import key_of
from app.engine.problems import mutation
from app.kit.errors import InvalidInput, NotFound, RateLimited
from app.schema.accounts import problems as _problems  # noqa: F401  # declares the types that the unions below name
from app.schema.accounts.enums import TokenDelivery
from app.schema.accounts.inputs import ChangePasswordInput, LoginInput, RefreshSessionInput, RevokeSessionInput
from app.schema.accounts.payloads import (
    ChangePasswordPayload,
    LoginPayload,
    LogoutEverywherePayload,
    LogoutPayload,
    RefreshSessionPayload,
    RevokeSessionPayload,
)
from app.schema.context import Context, Info


@strawberry.type
class SessionMutation:
    """Logging in, staying so, and logging out."""

    @mutation(
        LoginPayload,
        InvalidInput,
        model.BadCredentials,
        RateLimited,
        description="Opens a session. 5 failures in 15 minutes for each account and address, or account and known"
        " device; successes do not count. Many failures at an account or from an address slow down those who are not"
        " known there. What follows in the same document is done as the viewer.",
    )
    async def login(self, info: Info, input: LoginInput) -> Any:
        """Opens a session."""
        context = info.context
        default = TokenDelivery.COOKIE if context.from_browser else TokenDelivery.BEARER
        delivery = _deliverable(context, input.delivery or default)
        proof = ReturningClient(
            context.client.ip,
            context.client.user_agent,
            device_token=input.device_token or context.device_token,
            refresh_token=context.refresh_token,
        )
        opened = await context.services.accounts.sessions.login(input.email, input.password, proof)
        device_token = None if delivery is TokenDelivery.COOKIE else opened.tokens.device_token
        return LoginPayload(**await _deliver(context, opened, delivery), device_token=device_token)

    @mutation(
        RefreshSessionPayload,
        InvalidInput,
        model.SessionEnded,
        description="Gives the session its next tokens. A refresh token that is presented twice ends the session.",
    )
    async def refresh_session(self, info: Info, input: RefreshSessionInput) -> Any:
        """Gives the session its next tokens."""
        context = info.context
        token = input.refresh_token or context.refresh_token
        if token is None:
            raise model.SessionEnded
        default = TokenDelivery.BEARER if input.refresh_token else TokenDelivery.COOKIE
        delivery = _deliverable(context, input.delivery or default)
        if not input.refresh_token and delivery is TokenDelivery.BEARER:
            # A script that got into our page could else read what the cookie keeps from it.
            raise InvalidInput("delivery", "What came as a cookie is renewed as a cookie.")
        try:
            renewed = await context.services.accounts.sessions.refresh(token, context.client)
        except model.SessionEnded:
            # The cookies are worth nothing any more: the browser shall forget them.
            context.session_ended = input.refresh_token is None
            raise
        return RefreshSessionPayload(**await _deliver(context, renewed, delivery))

    @mutation(LogoutPayload, description="Ends the session, whether by its access token or by the browser's cookies.")
    async def logout(self, info: Info) -> Any:
        """Ends the session."""
        context = info.context
        sessions = context.services.accounts.sessions
        if context.viewer is not None:
            await sessions.logout(context.viewer)
        elif context.refresh_token is not None:
            await sessions.logout_by_refresh_token(context.refresh_token, context.client)
        await _leave(context)
        return LogoutPayload(logged_out=True)

    @mutation(LogoutEverywherePayload, description="Ends all sessions of the viewer, this one too.")
    async def logout_everywhere(self, info: Info) -> Any:
        """Ends all sessions of the viewer."""
        context = info.context
        ended = await context.services.accounts.sessions.logout_everywhere(context.require_viewer())
        await _leave(context)
        return LogoutEverywherePayload(ended_sessions=ended)

    @mutation(RevokeSessionPayload, NotFound, description="Ends one of the viewer's sessions.")
    async def revoke_session(self, info: Info, input: RevokeSessionInput) -> Any:
        """Ends one of the viewer's sessions."""
        context = info.context
        viewer = context.require_viewer()
        session_id = key_of(input.session_id, "Session")
        await context.services.accounts.sessions.revoke(viewer, session_id)
        if session_id == viewer.session_id:
            await _leave(context)
        return RevokeSessionPayload(session_id=input.session_id)

    @mutation(
        ChangePasswordPayload,
        InvalidInput,
        RateLimited,
        description="Changes the viewer's password and ends their other sessions.",
    )
    async def change_password(self, info: Info, input: ChangePasswordInput) -> Any:
        """Changes the viewer's password."""
        context = info.context
        ended = await context.services.accounts.credentials.change(
            context.require_viewer(), input.current_password, input.new_password
        )
        return ChangePasswordPayload(ended_sessions=ended)


def _deliverable(context: Context, delivery: TokenDelivery) -> TokenDelivery:
    """`delivery`, unless its tokens would be lost. Raises InvalidInput, before a session is opened or renewed."""
    if delivery is TokenDelivery.COOKIE and not context.from_browser:
        raise InvalidInput("delivery", "Cookies can be set by an HTTP response to a page of ours only: ask for BEARER.")
    return delivery


async def _deliver(context: Context, session: LoggedIn, delivery: TokenDelivery) -> dict[str, Any]:
    """The fields of a payload; cookies are set by the transport, which finds the tokens in the context."""
    await context.become(session.viewer)
    tokens = session.tokens
    context.session_ended = False
    context.tells_secret = True
    context.new_session = tokens if delivery is TokenDelivery.COOKIE else None
    return {
        "viewer": cast(Any, session.viewer),
        "access_token": None if delivery is TokenDelivery.COOKIE else tokens.access_token,
        "refresh_token": None if delivery is TokenDelivery.COOKIE else tokens.refresh_token,
        "access_token_expires_at": tokens.access_expires_at,
    }


async def _leave(context: Context) -> None:
    """From here on nobody asks; the transport clears the cookies."""
    context.session_ended = True
    context.new_session = None
    await context.become(None)
