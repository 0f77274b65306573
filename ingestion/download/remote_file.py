"""What a server says about a file in the headers of its responses."""

import base64
import binascii
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

# The checksums of servers that hashlib can compute, with their size in bytes.
DIGEST_BYTES = {"sha256": 32, "md5": 16}


@dataclass(frozen=True)
class RemoteFile:
    """A file as its server describes it; kept beside the bytes, to recognize the file later.

    Attributes:
        url: its address, without credentials and query.
        etag: the server's name of this version.
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
    def from_headers(cls, url: str, headers: Mapping[str, str]) -> "RemoteFile":
        """Return the file that a response with all of it (200, or to HEAD) describes."""
        length = headers.get("Content-Length", "").strip()
        is_known = re.fullmatch(r"\d{1,18}", length) and "Transfer-Encoding" not in headers
        return cls(
            url=url,
            etag=headers.get("ETag") or None,
            last_modified=headers.get("Last-Modified") or None,
            bytes=int(length) if is_known else None,
            checksums=dict(_checksums(headers)),
        )

    @classmethod
    def read(cls, path: Path) -> "RemoteFile | None":
        """Return what `write` stored at a path; None if nothing, or nothing complete, is there."""
        try:
            return cls(**json.loads(path.read_text()))
        except (OSError, ValueError, TypeError):
            return None

    def write(self, path: Path) -> None:
        """Store the description; after a kill, `read` finds nothing."""
        path.write_text(json.dumps(asdict(self)))

    @property
    def validator(self) -> str | None:
        """The value of If-Range for the rest of this version; None if no rest can be requested.

        A weak ETag (`W/`) is not allowed there: files with other bytes may have it too.
        """
        is_strong = self.etag and not self.etag.startswith("W/")
        return self.etag if is_strong else self.last_modified

    def same_version(self, other: "RemoteFile") -> bool | None:
        """Whether both are one version of the file; None if the headers do not say."""
        for own, others in ((self.etag, other.etag), (self.last_modified, other.last_modified)):
            if own and others:
                return own == others
        return None

    def continued(self, headers: Mapping[str, str], start: int) -> "RemoteFile | None":
        """Return this file with what a response with a part of it (206) adds.

        None if the part does not begin at byte `start`, belongs to another version, or leaves the total length
        unknown: then the end of the part proves nothing.
        """
        found = re.fullmatch(r"bytes (\d{1,18})-\d+/(\d{1,18}|\*)", headers.get("Content-Range", "").strip())
        if not found or int(found[1]) != start:
            return None
        total = self.bytes if found[2] == "*" else int(found[2])
        if total is None or self.bytes not in (None, total):
            return None
        if self.same_version(RemoteFile.from_headers(self.url, headers)) is False:
            return None
        return replace(self, bytes=total)


def _checksums(headers: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Yield the checksums of the whole file, as algorithm and base64.

    Others are left out, such as those of S3 for a file uploaded in pieces, which do not hash its bytes.
    """
    found = [("md5", headers.get("Content-MD5", "")), ("sha256", headers.get("x-amz-checksum-sha256", ""))]
    for entry in f"{headers.get('Digest', '')},{headers.get('Repr-Digest', '')}".split(","):
        name, _, value = entry.strip().partition("=")
        if name.lower() == "sha-256":
            found.append(("sha256", value.strip(":")))
    for algorithm, value in found:
        try:
            if len(base64.b64decode(value, validate=True)) == DIGEST_BYTES[algorithm]:
                yield algorithm, value
        except binascii.Error:
            continue
