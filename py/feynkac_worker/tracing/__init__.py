"""What a module computes, as a graph that TypeScript reasons about (PROTOCOL.md, "Graphs and widths")."""
