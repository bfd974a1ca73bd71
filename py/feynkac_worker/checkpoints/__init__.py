"""Checkpoint files: reading foreign and own layouts, working out the network, writing, and whole training states."""
