"""The memo: a line of text that two nodes must judge alike."""

import unicodedata

from app.domains.ledger.rules.encoding import MalformedEncoding

MAX_MEMO_BYTES = 256

# Unicode 3.2, frozen and shipped with every Python. The current tables grow with each Python release, and a character
# that composes on one node and is unknown on another would split the chain.
_UNICODE = unicodedata.ucd_3_2_0


def normalise_memo(text: str) -> str:
    """`text` in the normal form C that the ledger demands."""
    return _UNICODE.normalize("NFC", text)


def memo_fault(memo: str) -> str | None:
    """Why `memo` may not stand in a transaction; None: it may."""
    try:
        length = len(memo.encode())
    except UnicodeEncodeError:
        return "the memo holds a lone surrogate"
    if length > MAX_MEMO_BYTES:
        return f"the memo takes {length} bytes, more than {MAX_MEMO_BYTES}"
    # Category Cc is closed by Unicode's stability policy, so the current table is safe here.
    if any(unicodedata.category(character) == "Cc" for character in memo):
        return "the memo holds a control character"
    if normalise_memo(memo) != memo:
        return "the memo is not in Unicode normal form C"
    return None


def decode_memo(raw: bytes, error: type[MalformedEncoding]) -> str:
    """The text of strict UTF-8 bytes; raises `error` for others. Its content is `memo_fault`'s business."""
    try:
        return raw.decode()
    except UnicodeDecodeError:
        raise error("the memo is not UTF-8") from None
