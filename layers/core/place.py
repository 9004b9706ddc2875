"""Where the private cluster lives on disk, and whose it is.

home/pg/            or a link to it in /var/lib/onemap, where root's own folder is closed to the database
├─ data/            the cluster; appears by one rename, so it is whole or not there
├─ run/             its socket; under /tmp where this path would be too long for one
├─ log/             a week of logs
├─ pinned           present from `Cluster.start` to `Cluster.stop`: the last user leaves the server running
├─ start.lock       held by whoever starts or stops it
├─ users.lock       shared by all who use it
└─ server.lock      inherited by every process of the server, and free only when the last has ended
"""

import hashlib
import logging
import os
import re
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from layers.core.account import Account
from layers.core.errors import ClusterError

_SYSTEM_FOLDER = Path("/var/lib/onemap")
_PLAIN_PATH = re.compile(r"[\w./-]{1,85}", re.ASCII)  # needs no quoting; a socket's path ends at 107 bytes

_log = logging.getLogger(__name__)


class Place:
    """The folders and lock files of one cluster. Only looks until `make` is called.

    Raises
    ------
    ClusterError : the folder is closed to us or somebody else's, or root finds no account for the database.
    """

    def __init__(self, home: Path) -> None:
        self._home = home.resolve()
        self._link = self._home / "pg"
        self.account = Account.of(self._link)
        self.folder = self._link.resolve()
        if not os.path.lexists(self._link) and not self.account.reaches(self._home):
            if os.geteuid() != 0:
                raise ClusterError(f"{self.account.name} cannot reach {self._home}: set ONEMAP_HOME")
            self.folder = _SYSTEM_FOLDER / f"{self._home.parent.name or 'root'}-{_digest(self._home, 8)}"
            self.account = Account.of(self.folder)
        self.data = self.folder / "data"
        self.log = self.folder / "log"
        self.pin = self.folder / "pinned"
        self.socket = self.folder / "run"
        if not _PLAIN_PATH.fullmatch(str(self.socket)):
            # Not tempfile's choice: every command has to find the same one, whatever its TMPDIR.
            self.socket = Path("/tmp") / f"onemap-{_digest(self.folder, 12)}"  # noqa: S108

    def make(self) -> None:
        """Make the folders that are missing; two may do so at once.

        Raises
        ------
        ClusterError : the account cannot work there, or the socket's folder is not its own.
        OSError : we cannot make them.
        """
        _make_passable(self._home)
        _make_passable(self.folder.parent)
        self.folder.mkdir(mode=0o700, exist_ok=True)
        if os.geteuid() == 0 and self.folder.stat().st_uid == 0:
            os.chown(self.folder, self.account.uid, self.account.gid)
        if not os.path.lexists(self._link):
            said = "%s is closed to %s: the database lives in %s"
            _log.warning(said, self._home, self.account.name, self.folder)
            with suppress(FileExistsError):
                self._link.symlink_to(self.folder)
        made = self.account.run("mkdir", "-p", "-m", "700", self.log, self.socket)
        if made.returncode:
            raise ClusterError(f"{self.account.name} cannot work in {self.folder}: {made.stderr.strip()}")
        found = self.socket.lstat()
        if not stat.S_ISDIR(found.st_mode) or found.st_uid != self.account.uid or found.st_mode & 0o077:
            raise ClusterError(f"{self.socket} is not a private folder of {self.account.name}: remove it")

    @contextmanager
    def lock_file(self, name: str) -> Iterator[int]:
        """Descriptor of the lock file `name`, open but not locked; closing it gives up what it holds."""
        file = self.account.open(self.folder / name, os.O_RDWR)
        try:
            yield file
        finally:
            os.close(file)

    def processes(self) -> set[int]:
        """Live PostgreSQL processes whose working folder is our data, or was until it was removed.

        A zombie has no working folder, and a stranger with a reused id another one. Looked at as the account:
        root without ptrace rights, as in a container, may not read these links.
        """
        named = [entry for entry in Path("/proc").iterdir() if entry.name.isdigit() and _runs_postgres(entry)]
        if not named:
            return set()
        links = [entry / "cwd" for entry in named]
        found = self.account.run("find", *links, "-maxdepth", "0", "-printf", "%h %l\\n").stdout
        pairs = (line.partition(" ") for line in found.splitlines())
        ours = {str(self.data), f"{self.data} (deleted)"}
        return {int(Path(entry).name) for entry, _, folder in pairs if folder in ours}


def _digest(path: Path, length: int) -> str:
    return hashlib.sha256(os.fsencode(path)).hexdigest()[:length]


def _make_passable(folder: Path) -> None:
    """Make `folder`; root's umask must not close it to the database's account."""
    for path in reversed([path for path in (folder, *folder.parents) if not path.exists()]):
        path.mkdir(exist_ok=True)
        if os.geteuid() == 0:
            path.chmod(0o755)


def _runs_postgres(entry: Path) -> bool:
    try:
        return (entry / "comm").read_text() == "postgres\n"
    except OSError:  # it ended meanwhile
        return False
