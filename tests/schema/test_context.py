"""Who may share an execution with whom."""

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any, cast
from uuid import UUID

import msgspec
import pytest

from app.domains.accounts.model import Client, Role, Viewer
from app.domains.tenancy.tenants.model.tenants import ActingKey, MemberRole, Plan, SubscriptionStatus, Tenancy
from app.kit.db import PUBLIC, Scope
from app.kit.errors import Forbidden, Unauthenticated
from app.kit.loaders import Audience
from app.schema.context import Context

VIEWER = Viewer(UUID(int=1), UUID(int=2), Role.ADMIN, True, datetime(2026, 1, 1, tzinfo=UTC), Client())


def context_of(viewer: Viewer | None) -> Context:
    nothing = cast(Any, None)
    return Context(nothing, viewer, Client(), "request-1", from_browser=False, reads=nothing)


def same(one: Viewer | None, other: Viewer | None, audience: Audience) -> bool:
    return context_of(one).audience_key(audience) == context_of(other).audience_key(audience)


def test_all_are_one_public() -> None:
    assert same(VIEWER, None, Audience.PUBLIC)


def test_a_viewer_is_one_audience_on_all_devices() -> None:
    later = VIEWER.expires_at + timedelta(hours=1)
    elsewhere = msgspec.structs.replace(VIEWER, session_id=UUID(int=3), expires_at=later, client=Client(ip="::1"))
    assert same(VIEWER, elsewhere, Audience.VIEWER)


@pytest.mark.parametrize("change", [{"user_id": UUID(int=9)}, {"role": Role.USER}, {"is_verified": False}], ids=str)
def test_who_may_see_something_else_is_another_audience(change: dict[str, Any]) -> None:
    assert not same(VIEWER, msgspec.structs.replace(VIEWER, **change), Audience.VIEWER)
    assert not same(VIEWER, None, Audience.VIEWER)


def test_a_public_event_runs_as_nobody_and_any_other_as_its_viewer() -> None:
    reading: list[Scope] = []
    context = context_of(msgspec.structs.replace(VIEWER, client=Client(ip="192.0.2.1")))
    context.runtime = cast(Any, SimpleNamespace(new_reads=reading.append))
    public, own = context.for_event(Audience.PUBLIC), context.for_event(Audience.VIEWER)
    assert (public.viewer, public.viewer_id, public.client) == (None, None, Client())
    assert (own.viewer, own.client) == (context.viewer, context.client)
    assert context.viewer is not None
    assert reading == [PUBLIC, context.viewer.scope]


def test_the_reason_why_somebody_is_nobody_is_for_their_own_request() -> None:
    refused = context_of(None)
    refused.refusal = "The token has expired."
    with pytest.raises(Unauthenticated, match="The token has expired"):
        refused.require_viewer()
    with pytest.raises(Unauthenticated, match="Log in first"):
        context_of(None).require_viewer()
    refused.runtime = cast(Any, SimpleNamespace(new_reads=lambda viewer: None))
    for audience in Audience:
        # An event is executed once for everybody anonymous.
        assert refused.for_event(audience).refusal is None


def test_each_key_is_an_audience_and_a_party_of_its_own() -> None:
    def acting(number: int) -> Context:
        key = ActingKey(
            id=UUID(int=number), secret_id=UUID(int=9), scopes=frozenset(), expires_at=None, plan=Plan.FREE,
            per_minute=1, per_hour=1, per_day=1, per_month=1,
        )  # fmt: skip
        context = context_of(None)
        context.tenancy = Tenancy(
            tenant_id=UUID(int=7), slug="acme", status=SubscriptionStatus.ACTIVE, key=key, client=Client()
        )
        return context

    one, other = acting(1), acting(2)
    for audience in (Audience.VIEWER, Audience.TENANT):
        assert one.audience_key(audience) != other.audience_key(audience)
        assert one.audience_key(audience) != context_of(None).audience_key(audience)
        assert one.audience_key(audience) == acting(1).audience_key(audience)
    assert one.audience_key(Audience.PUBLIC) == context_of(None).audience_key(Audience.PUBLIC)
    assert one.party != other.party
    with pytest.raises(Forbidden, match="users"):
        one.require_viewer()
    reading: list[Scope] = []
    one.runtime = cast(Any, SimpleNamespace(new_reads=reading.append))
    assert one.for_event(Audience.PUBLIC).tenancy is None
    assert one.for_event(Audience.TENANT).tenancy is one.tenancy
    assert [(each.api_key_id, each.tenant_id) for each in reading] == [(None, None), (UUID(int=1), UUID(int=7))]


def test_each_tenant_mode_and_role_is_an_audience_of_its_own() -> None:
    def acting(viewer: Viewer | None, **given: Any) -> Context:
        context = context_of(viewer)
        member: dict[str, Any] = {
            "tenant_id": UUID(int=7),
            "user_id": VIEWER.user_id,
            "role": MemberRole.OWNER,
            "livemode": True,
        }
        context.tenancy = Tenancy(slug="acme", status=SubscriptionStatus.ACTIVE, client=Client(), **(member | given))
        return context

    apart = [
        context_of(VIEWER),
        *(
            acting(VIEWER, tenant_id=UUID(int=tenant), livemode=livemode, role=role)
            for tenant in (7, 8)
            for livemode in (True, False)
            for role in (MemberRole.OWNER, MemberRole.VIEWER)
        ),
    ]
    for audience in (Audience.VIEWER, Audience.TENANT):
        assert len({each.audience_key(audience) for each in apart}) == len(apart)
    # Members with the same role see the same of a tenant, and share it; what is a viewer's own they do not.
    other = msgspec.structs.replace(VIEWER, user_id=UUID(int=9))
    one, two = acting(VIEWER), acting(other, user_id=other.user_id)
    assert one.audience_key(Audience.TENANT) == two.audience_key(Audience.TENANT)
    assert one.audience_key(Audience.VIEWER) != two.audience_key(Audience.VIEWER)
