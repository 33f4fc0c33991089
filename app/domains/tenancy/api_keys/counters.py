"""What is counted of API keys."""

from typing import Final

from app.domains.tenancy.api_keys.statements import UseSql
from app.kit.data_checks import Counter

COUNTERS: Final = (Counter("uses of API keys", UseSql.differing_uses),)
