"""Debian's PostgreSQL programs: the newest major that has PostGIS, or the very one that made the data."""

from dataclasses import dataclass
from pathlib import Path

from layers.core.errors import ClusterError, MissingBinaries

_ROOT = Path("/usr")
_PACKAGE = "postgresql-postgis"  # Debian's metapackage: whichever major the release carries, with PostGIS


@dataclass(frozen=True)
class Binaries:
    """The programs of one PostgreSQL major version."""

    major: int
    folder: Path

    def path(self, program: str) -> Path:
        """Path of `program`, for example `pg_ctl`."""
        return self.folder / program

    @classmethod
    def find(cls, data_major: int | None = None) -> "Binaries":
        """Programs to run a cluster with, from where Debian installs them.

        They are those of `data_major` where data is there, since no other major can read it; else the newest.

        Raises
        ------
        MissingBinaries : no PostgreSQL, or none with PostGIS; the message names the package.
        ClusterError : the data was made by a major that is not installed; the message names its package.
        """
        installed = {
            int(folder.parent.name): folder
            for folder in _ROOT.glob("lib/postgresql/*/bin")
            if folder.parent.name.isdigit() and (folder / "postgres").exists()
        }
        spatial = {
            major: folder
            for major, folder in installed.items()
            if (_ROOT / f"share/postgresql/{major}/extension/postgis.control").exists()
        }
        if data_major is not None and data_major not in spatial:
            package = f"postgresql-{data_major}-postgis-3"
            raise ClusterError(
                f"the data was made by PostgreSQL {data_major}, which is not installed with PostGIS"
                f" (found: {_majors(spatial)}); install it: apt-get install {package}",
                package=package,
            )
        if not spatial:
            package = f"postgresql-{max(installed)}-postgis-3" if installed else _PACKAGE
            found = f"PostgreSQL {max(installed)} has no PostGIS" if installed else "there is no PostgreSQL"
            raise MissingBinaries(
                f"{found} under {_ROOT}; install it: apt-get install {package}"
                " (or set ONEMAP_DB__URL to a PostGIS that runs elsewhere)",
                package=package,
            )
        major = data_major or max(spatial)
        return cls(major, spatial[major])


def _majors(found: dict[int, Path]) -> str:
    return ", ".join(map(str, sorted(found))) or "none"
