"""A dump of a database without tenants, with rows as they are found in such ones."""

import json
import random
from collections.abc import Iterator, Sequence
from typing import Any, Final
from uuid import UUID

from solders.pubkey import Pubkey

from app.domains.campaigns.networks.model import Network
from app.domains.campaigns.networks.rules import address

USERS: Final = 300
PROJECTS: Final = 12
TABLES: Final = """
CREATE SCHEMA legacy;
SET search_path = legacy;
CREATE TABLE users (
    id uuid PRIMARY KEY, telegram_id bigint, discord_id varchar(100), username varchar(100),
    first_name varchar(255), last_name varchar(255), email varchar(255), wallet_address varchar(44),
    wallet_type varchar(20) DEFAULT 'solana', profile_data jsonb DEFAULT '{}', preferences jsonb DEFAULT '{}',
    is_active boolean DEFAULT true, is_verified boolean DEFAULT false, verification_data jsonb DEFAULT '{}',
    referral_code varchar(20), referred_by uuid, total_referrals integer DEFAULT 0, created_at timestamptz,
    updated_at timestamptz, last_active_at timestamptz
);
CREATE TABLE projects (
    id uuid PRIMARY KEY, name varchar(255) NOT NULL, description text, project_key varchar(50),
    token_name varchar(100), token_symbol varchar(20), token_address varchar(44), token_decimals integer DEFAULT 9,
    total_supply bigint, settings jsonb DEFAULT '{}', requirements jsonb DEFAULT '{}',
    project_wallet_address varchar(44) NOT NULL, project_wallet_private_key_encrypted text,
    distribution_rules jsonb DEFAULT '{}', max_participants integer, max_claims_per_user integer DEFAULT 1,
    claim_amount bigint, is_active boolean DEFAULT true, is_public boolean DEFAULT true, start_date timestamptz,
    end_date timestamptz, total_participants integer DEFAULT 0, total_claims integer DEFAULT 0,
    total_distributed bigint DEFAULT 0, created_at timestamptz, updated_at timestamptz
);
CREATE TABLE user_projects (
    id uuid PRIMARY KEY, user_id uuid, project_id uuid, joined_at timestamptz, status varchar(50) DEFAULT 'active',
    tasks_completed jsonb DEFAULT '[]', points_earned integer DEFAULT 0, level integer DEFAULT 1,
    verification_status varchar(50) DEFAULT 'pending', verification_data jsonb DEFAULT '{}',
    metadata jsonb DEFAULT '{}', updated_at timestamptz
);
CREATE TABLE claims (id uuid PRIMARY KEY, user_id uuid, project_id uuid, amount bigint);
"""
DIRTY: Final = {
    "wallet": 5,
    "telegram": 4,
    "code": 3,
    "circle": 3,
    "orphan": 2,
    "nobody": 2,
    "dateless": 1,
    "blank": 2,
}
"""How many users have what is wrong."""


def id_of(table: int, number: int) -> UUID:
    return UUID(int=table << 64 | number)


def solana(chance: random.Random) -> str:
    return str(Pubkey(chance.randbytes(32)))


def ethereum(chance: random.Random) -> str:
    return address("0x" + chance.randbytes(20).hex(), Network.ETHEREUM, "address")


def users() -> list[dict[str, Any]]:
    """Users; each of the last ones has one thing that is wrong."""
    chance, made = random.Random(1), []
    for number in range(USERS):
        is_ethereum = number % 3 == 0
        made.append(
            {
                "id": id_of(1, number),
                "telegram_id": 1000 + number,
                "discord_id": f"d#{number}" if number % 2 else None,
                "username": f"O'Brien \\ {number}" if number == 5 else f"user{number}",
                "first_name": 'Line "one", two' if number == 6 else None,
                "wallet_address": (ethereum if is_ethereum else solana)(chance),
                "wallet_type": "ethereum" if is_ethereum else "solana",
                "profile_data": json.dumps({"tier": "gold", "nested": {"a": 1}, "age": 7} if number == 7 else {}),
                "preferences": json.dumps({"language": "de-AT", "notifications": False} if number == 8 else {}),
                "is_verified": number % 2 == 0,
                "referral_code": f"CODE{number}" if number % 5 else None,
                "referred_by": id_of(1, number - 10) if number % 4 == 0 and number >= 10 else None,
                "total_referrals": 0,
                "created_at": f"2025-01-01 00:{number // 60:02d}:{number % 60:02d}+00",
                "last_active_at": "2025-02-01 00:00:00.5+00",
            }
        )
    _spoil(made)
    return made


def _spoil(made: list[dict[str, Any]]) -> None:
    spoiled = iter(reversed(made))

    def each(what: str) -> Iterator[dict[str, Any]]:
        for _ in range(DIRTY[what]):
            row = next(spoiled)
            row["referred_by"] = None
            yield row

    for row in each("wallet"):
        row["wallet_address"] = "0x" + "aB" * 20 if row["wallet_type"] == "ethereum" else "0" * 40
    for number, row in enumerate(each("telegram")):
        row["telegram_id"] = 1000 + number
    for row in each("code"):
        row["referral_code"] = "CODE1"
    circle = list(each("circle"))
    for one, other in zip(circle, [*circle[1:], circle[0]], strict=True):
        one["referred_by"] = other["id"]
    for row in each("orphan"):
        row["referred_by"] = id_of(9, 1)
    for row in each("nobody"):
        row.update(dict.fromkeys(("telegram_id", "discord_id", "username", "wallet_address")))
    for row in each("dateless"):
        row["created_at"] = None
    for row in each("blank"):
        row["username"] = "   "


def projects() -> list[dict[str, Any]]:
    """Projects: the last three are wrong in their claim, their times, and their key and wallet."""
    chance = random.Random(2)
    made = [
        {
            "id": id_of(2, number),
            "name": f"Drop {number}",
            "project_key": f"proj_{number:012x}",
            "token_symbol": "BONK",
            "token_decimals": 9,
            "total_supply": 10**15,
            "settings": json.dumps({"a": 1} if number == 0 else {}),
            "project_wallet_address": (ethereum if number % 4 == 0 else solana)(chance),
            "project_wallet_private_key_encrypted": "\\xc30d" if number == 1 else None,
            "claim_amount": 10**9,
            "is_public": number % 2 == 0,
            "created_at": "2025-01-01 00:00:00+00",
        }
        for number in range(PROJECTS)
    ]
    made[-1]["claim_amount"] = None
    made[-2] |= {"start_date": "2025-03-01 00:00:00+00", "end_date": "2025-02-01 00:00:00+00"}
    made[-3] |= {"project_key": "PROJ-1", "project_wallet_address": "nowhere"}
    return made


def parts() -> list[dict[str, Any]]:
    """Each user takes part in two projects."""
    made = []
    for number in range(2 * USERS):
        status = ("active", "active", "active", "left", "banned")[number % 5]
        made.append(
            {
                "id": id_of(3, number),
                "user_id": id_of(1, number // 2),
                "project_id": id_of(2, (number * 5) % PROJECTS),
                "joined_at": "2025-01-02 00:00:00+00",
                "updated_at": "2025-01-03 00:00:00+00",
                "status": status,
                "points_earned": (number % 7) * 100,
                "level": 1,
                "tasks_completed": json.dumps(["join"] if number == 0 else []),
            }
        )
    made[3] |= {"points_earned": -5}
    made[5] |= {"project_id": made[4]["project_id"]}
    return made


def dump() -> str:
    """The dump, as SQL."""
    claims = [{"id": id_of(4, number), "amount": 5} for number in range(7)]
    tables = {"users": users(), "projects": projects(), "user_projects": parts(), "claims": claims}
    return TABLES + "".join(_inserted(name, rows) for name, rows in tables.items()) + "RESET search_path;"


def _inserted(name: str, rows: Sequence[dict[str, Any]]) -> str:
    columns = (
        list(rows[0]) if len({tuple(row) for row in rows}) == 1 else sorted({each for row in rows for each in row})
    )
    lines = (", ".join(_literal(row.get(each)) for each in columns) for row in rows)
    return f"INSERT INTO {name} ({', '.join(columns)}) VALUES\n" + ",\n".join(f"({line})" for line in lines) + ";\n"


def _literal(value: Any) -> str:
    if value is None:
        return "NULL"
    return str(value) if isinstance(value, bool | int) else "'" + str(value).replace("'", "''") + "'"
