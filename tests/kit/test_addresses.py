from typing import Any

import pytest

from app.kit.addresses import ip_address, source_of


@pytest.mark.parametrize(
    ("ip", "address", "source"),
    [
        (None, None, None),
        ("testclient", None, None),
        ("203.0.113.7", "203.0.113.7", "203.0.113.7"),
        ("2001:DB8::1", "2001:db8::1", "2001:db8::/64"),
        ("2001:db8::ffff:2", "2001:db8::ffff:2", "2001:db8::/64"),
        ("fe80::1%eth0", "fe80::1", "fe80::/64"),
    ],
)
def test_attempts_are_counted_by_what_one_user_has(ip: Any, address: Any, source: Any) -> None:
    assert ip_address(ip) == address
    assert source_of(ip) == source
