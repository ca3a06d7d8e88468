"""The ids of messages that took effect, sealed: none can be changed, moved, added or taken away unseen.

By them the same message is known when it comes again. The seal of an id is the SHA-256 of the hash of the event that
the message led to (:mod:`.chain`) and of the id, so it stands on all that was logged before; how many there are is in
the log's list of projects.
"""

import hashlib


def seal(link: bytes, message_id: str) -> bytes:
    """The seal of an id, with the hash of the event that it belongs to, or of a log's beginning."""
    return hashlib.sha256(link + message_id.encode()).digest()
