"""The operating-system account that the private database runs as: ourselves, or as root somebody with less."""

import os
import pwd
import subprocess
from collections.abc import Collection
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from layers.core.errors import ClusterError

_CANDIDATES = ("onemap", "postgres")  # what root drops to where no data has an owner yet


@dataclass(frozen=True)
class Account:
    """One account, and the ways to act as it."""

    name: str
    uid: int
    gid: int

    @classmethod
    def of(cls, folder: Path) -> "Account":
        """Who is to own `folder`: ourselves; for root the present owner, else `onemap`, else `postgres`.

        Raises
        ------
        ClusterError : nobody fits, or `folder` belongs to somebody whom we cannot act as.
        """
        us = os.geteuid()
        # os.path, here and below: Path.exists raises where a folder above is closed to us.
        owner = folder.stat().st_uid if os.path.exists(folder) else us  # noqa: PTH110
        if us not in (0, owner):
            raise ClusterError(
                f"{folder} belongs to {_name(owner)}: run as {_name(owner)} or root, or set ONEMAP_HOME",
                folder=str(folder),
            )
        for name in [_name(owner)] if owner else _CANDIDATES:
            with suppress(KeyError):
                entry = pwd.getpwnam(name)
                return cls(name, entry.pw_uid, entry.pw_gid)
        raise ClusterError(
            f"PostgreSQL does not run as root, and there is no account {' or '.join(_CANDIDATES)}:"
            " useradd --system onemap"
        )

    def run(
        self, program: Path | str, *arguments: Path | str, pass_fds: Collection[int] = ()
    ) -> subprocess.CompletedProcess[str]:
        """Run `program` as this account to its end, with its output as text.

        Nothing of our environment or working folder goes along: the account may not even reach the latter.
        """
        drop = [
            "setpriv", f"--reuid={self.uid}", f"--regid={self.gid}", "--clear-groups",
            "--inh-caps=-all", "--no-new-privs", "--",
        ] if os.geteuid() == 0 else []  # fmt: skip
        return subprocess.run(  # noqa: S603 (programs of this house, no shell)
            [*drop, str(program), *map(str, arguments)],
            env={"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8"},
            cwd="/",
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            pass_fds=pass_fds,
        )

    def reaches(self, folder: Path) -> bool:
        """Whether this account may pass through `folder`, or the part of its path that exists."""
        nearest = next(path for path in (folder, *folder.parents) if os.path.exists(path))  # noqa: PTH110
        return self.run("test", "-x", nearest).returncode == 0

    def open(self, path: Path, flags: int) -> int:
        """File descriptor of `path`, which is made if missing and belongs to this account alone.

        Links are not followed: the account could otherwise have root write where it may not.
        """
        file = os.open(path, flags | os.O_CREAT | os.O_NOFOLLOW, 0o600)
        if os.geteuid() == 0:
            os.fchown(file, self.uid, self.gid)
        return file

    def write(self, path: Path, text: str) -> None:
        """Put `text` into `path`, in place of what was there."""
        with os.fdopen(self.open(path, os.O_WRONLY | os.O_TRUNC), "w", encoding="utf-8") as file:
            file.write(text)


def _name(uid: int) -> str:
    """Name of `uid`, which initdb and peer authentication both need."""
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        raise ClusterError(f"user id {uid} has no name in /etc/passwd", uid=uid) from None
