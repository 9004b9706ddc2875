"""Which build of the server this is; screens reload when it changes."""

from importlib.metadata import version

BUILD = version("onemap")
