"""What a server says of a file in the headers of its answers."""

import base64
import binascii
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

# Of the checksums that servers send, those that can be computed here, with their size in bytes.
DIGEST_BYTES = {"sha256": 32, "md5": 16}


@dataclass(frozen=True)
class RemoteFile:
    """A file as its server describes it; kept beside the bytes, to recognize the file later.

    Attributes:
        url: where it is, without credentials and query.
        etag: the server's name for this version.
        last_modified: when it was changed, as the server wrote it.
        bytes: its length, if the server said it.
        checksums: base64 by algorithm (`sha256`, `md5`), of the whole file.
    """

    url: str
    etag: str | None = None
    last_modified: str | None = None
    bytes: int | None = None
    checksums: dict[str, str] = field(default_factory=dict)

    @classmethod
    def described(cls, url: str, headers: Mapping[str, str]) -> "RemoteFile":
        """The file that an answer for the whole of it (200, or to HEAD) describes."""
        length = headers.get("Content-Length", "").strip()
        known = re.fullmatch(r"\d{1,18}", length) and "Transfer-Encoding" not in headers
        return cls(
            url=url,
            etag=headers.get("ETag") or None,
            last_modified=headers.get("Last-Modified") or None,
            bytes=int(length) if known else None,
            checksums=dict(_checksums(headers)),
        )

    @classmethod
    def read(cls, path: Path) -> "RemoteFile | None":
        """What `write` left at a path; None if nothing, or nothing whole, is there."""
        try:
            return cls(**json.loads(path.read_text()))
        except (OSError, ValueError, TypeError):
            return None

    def write(self, path: Path) -> None:
        """Keep the description; a killed `write` leaves what `read` takes for nothing."""
        path.write_text(json.dumps(asdict(self)))

    @property
    def validator(self) -> str | None:
        """What a request for the rest of this very version names; None if no rest can be asked for.

        A weak ETag (`W/`) is no such name: files of other bytes may have it too.
        """
        strong = self.etag and not self.etag.startswith("W/")
        return self.etag if strong else self.last_modified

    def same_version(self, other: "RemoteFile") -> bool | None:
        """Whether both are one version of the file; None if the headers do not say."""
        for mine, others in ((self.etag, other.etag), (self.last_modified, other.last_modified)):
            if mine and others:
                return mine == others
        return None

    def continued(self, headers: Mapping[str, str], start: int) -> "RemoteFile | None":
        """This file, as an answer with a part of it (206) completes what is known of it.

        None if the part does not begin at byte `start`, is of another version, or does not say
        how long the whole is where that is not known yet: then the part's end proves nothing.
        """
        found = re.fullmatch(r"bytes (\d{1,18})-\d+/(\d{1,18}|\*)", headers.get("Content-Range", "").strip())
        if not found or int(found[1]) != start:
            return None
        total = self.bytes if found[2] == "*" else int(found[2])
        if total is None or self.bytes not in (None, total):
            return None
        if self.same_version(RemoteFile.described(self.url, headers)) is False:
            return None
        return replace(self, bytes=total)


def _checksums(headers: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Checksums of the whole file: algorithm and base64.

    Others are left out, such as S3's of a file uploaded in pieces, which is none of its bytes.
    """
    for entry in f"{headers.get('Digest', '')},{headers.get('Repr-Digest', '')}".split(","):
        name, _, value = entry.strip().partition("=")
        if name.lower() == "sha-256":
            yield from _usable("sha256", value.strip(":"))
    yield from _usable("sha256", headers.get("x-amz-checksum-sha256", ""))
    yield from _usable("md5", headers.get("Content-MD5", ""))


def _usable(algorithm: str, value: str) -> Iterator[tuple[str, str]]:
    try:
        if len(base64.b64decode(value, validate=True)) == DIGEST_BYTES[algorithm]:
            yield algorithm, value
    except binascii.Error:
        return
