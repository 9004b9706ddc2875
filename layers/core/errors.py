"""Every error this house raises on purpose.

OnemapError
├─ InputError           the caller can mend it
│  ├─ BadValue          a parameter or setting that cannot be read; names it
│  ├─ BadAddress        a host and port that cannot be listened on
│  ├─ TooLarge          a body of more bytes or rows than are taken at a time
│  └─ ShapeMismatch     arrays that do not belong together
├─ NotFound             the named thing is not there
│  ├─ UnknownLayer
│  ├─ UnknownArea
│  └─ UnknownFeature
├─ Unauthenticated      a token that is unknown, expired or revoked
├─ Forbidden            known, but not for this audience
├─ Conflict             someone else moved first
├─ TooMany              the caller asks more than it may, for now
├─ SourceError          a file or feed broke its promise
│  ├─ BadSource         a source's TOML that cannot be followed
│  ├─ UnreadableFile    missing, truncated or of another format
│  ├─ MissingColumn
│  ├─ FeedError         a feed over HTTP that fails, or answers what it should not
│  ├─ UnknownDatum
│  ├─ TooManyBad        more rows did not pass than the source allows
│  └─ EmptySnapshot     a whole truth without rows
├─ BadCity              a city folder that cannot be followed
├─ BadHome              the home folder or the secret in it cannot be used
├─ Unavailable          not now, perhaps later: the database does not answer in time
│  ├─ NotReady          a part that serving needs is missing; names it
│  ├─ HeatNotReady      the heat store is not built yet
│  └─ ScreensMissing    the screens are not built yet
├─ HeatStoreError       the heat store contradicts itself, or cannot hold what it is given
└─ ClusterError         the private database cannot be made or started
   └─ MissingBinaries   PostgreSQL or PostGIS is not installed
"""


class OnemapError(Exception):
    """Base. `code` is a stable slug for machines; keyword context goes to the log and into the answer."""

    code = "onemap"

    def __init__(self, message: str, **context: object) -> None:
        super().__init__(message)
        self.context = context


class InputError(OnemapError):
    """The caller can mend it."""

    code = "bad-input"


class BadValue(InputError):
    """A parameter or setting that cannot be read; `parameter` in the context names it."""

    code = "bad-value"


class BadAddress(InputError):
    """A host and port that cannot be listened on."""

    code = "bad-address"


class TooLarge(InputError):
    """A body of more bytes or rows than are taken at a time."""

    code = "too-large"


class ShapeMismatch(InputError):
    """Arrays that do not belong together."""

    code = "shape-mismatch"


class NotFound(OnemapError):
    """The named thing is not there."""

    code = "not-found"


class UnknownLayer(NotFound):
    """No layer of that id in the catalog."""

    code = "unknown-layer"


class UnknownArea(NotFound):
    """No area of that id or code, or none inside the caller's scope."""

    code = "unknown-area"


class UnknownFeature(NotFound):
    """No feature of that id in the layer."""

    code = "unknown-feature"


class Unauthenticated(OnemapError):
    """A token that is unknown, expired or revoked."""

    code = "unauthenticated"


class Forbidden(OnemapError):
    """Known, but not for this audience."""

    code = "forbidden"


class Conflict(OnemapError):
    """Someone else moved first."""

    code = "conflict"


class TooMany(OnemapError):
    """The caller asks more than it may, for now; `retry_after_s` in the context says how long."""

    code = "too-many-requests"


class SourceError(OnemapError):
    """A file or feed broke its promise."""

    code = "source-error"


class BadSource(SourceError):
    """A source's TOML that cannot be followed."""

    code = "bad-source"


class UnreadableFile(SourceError):
    """A file that is missing, truncated or of another format."""

    code = "unreadable-file"


class MissingColumn(SourceError):
    """A file lacks a column that its TOML promises."""

    code = "missing-column"


class FeedError(SourceError):
    """A feed over HTTP that fails, or answers what it should not."""

    code = "feed-error"


class UnknownDatum(SourceError):
    """A coordinate reference system that nobody here knows."""

    code = "unknown-datum"


class TooManyBad(SourceError):
    """More rows of a file did not pass than its source allows."""

    code = "too-many-bad"


class EmptySnapshot(SourceError):
    """A file that says that nothing is left."""

    code = "empty-snapshot"


class BadCity(OnemapError):
    """A city folder that cannot be followed."""

    code = "bad-city"


class BadHome(OnemapError):
    """The home folder or the secret in it cannot be used."""

    code = "bad-home"


class Unavailable(OnemapError):
    """Not now, perhaps later: the database does not answer in time."""

    code = "unavailable"


class NotReady(Unavailable):
    """A part that serving needs is missing; `missing` in the context names it."""

    code = "not-ready"


class HeatNotReady(Unavailable):
    """The heat store is not built yet."""

    code = "heat-not-ready"


class ScreensMissing(Unavailable):
    """The screens are not built yet."""

    code = "screens-missing"


class HeatStoreError(OnemapError):
    """The heat store contradicts itself, or cannot hold what it is given."""

    code = "heat-store"


class ClusterError(OnemapError):
    """The private database cannot be made or started."""

    code = "cluster-error"


class MissingBinaries(ClusterError):
    """PostgreSQL or PostGIS is not installed."""

    code = "missing-binaries"
