"""The Python end of feynkac: replays plans that TypeScript traced (bridge/PROTOCOL.md)."""
