"""Names of raw columns for the names of delivered columns and fields."""

import hashlib
import unicodedata

from dlt.common.normalizers.naming.snake_case import NamingConvention
from text_unidecode import unidecode

_normalize = NamingConvention().normalize_identifier


def raw_column_name(delivered: str) -> str:
    """Return a name in snake_case and ASCII, the same at every load.

    Two names of another script may read alike in ASCII, so theirs end with a part of their hash. Names that begin
    with an underscore belong to the platform: `_id` becomes `delivered_id`.

    Args:
        delivered: the name as written; not blank.
    """
    name = unicodedata.normalize("NFC", delivered)
    ascii_name = unidecode(name).strip()
    readable = any(map(str.isalnum, ascii_name))
    if not readable or not all(map(_is_latin, name)):
        ascii_name = f"{ascii_name if readable else 'column'}_{_hash(name)}"
    normalized = _normalize(ascii_name)
    return f"delivered{normalized}" if normalized.startswith("_") else normalized


def _hash(name: str) -> str:
    # A name in JSON may have half of a surrogate pair.
    return hashlib.sha256(name.encode(errors="surrogatepass")).hexdigest()[:6]


def _is_latin(character: str) -> bool:
    return (
        character.isascii() or not character.isalpha() or unicodedata.name(character, "").startswith("LATIN")
    )
