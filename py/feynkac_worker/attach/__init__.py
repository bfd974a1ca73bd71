"""A worker that listens: started by hand, on any machine, for one client after the other (PROTOCOL.md, "Attach")."""


class AttachError(Exception):
    """One sentence for whoever starts the worker."""
