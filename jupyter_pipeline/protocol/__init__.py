"""The wire as typed data: stages, plans, events, client messages, frames and errors.

Everything here is a value; nothing does input or output, and nothing of ours is imported. JSON comes and
goes through msgspec, so a number that is not finite leaves as ``null`` and every frame is strict JSON.
"""
