"""Keys of users, which are made once for all tests of a process: making one takes as long as a whole test."""

from threading import Lock

from app.kit.crypto.rsa import RsaKey, generate_rsa_key


class Keys:
    """Gives the same keys in the same order after each `restart`: in one database no two users have the same."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._made = list[RsaKey]()
        self._given = 0

    def restart(self, given: int = 0) -> None:
        """A new database begins with the first key that none of its users has."""
        self._given = given

    def next(self) -> RsaKey:
        """The next key."""
        with self._lock:
            while len(self._made) <= self._given:
                self._made.append(generate_rsa_key())
            self._given += 1
            return self._made[self._given - 1]


KEYS = Keys()
