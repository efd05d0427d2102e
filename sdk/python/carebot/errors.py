"""The errors whose message the host is told as it is."""


class Error(Exception):
    """Raised by a plugin to refuse its configuration, or a batch. The host splits a refused batch to find the record.

    Other exceptions do the same; the host is told their type and place as well.
    """


class ModelError(Error):
    """A model of the host has failed."""
