"""What runs on the door: six processes and the few modules they share.

Each sub-package is one room (a process, or `sealing`, which two of them share). Modules that lie directly in this
folder belong to every room and import none of them. docs/architecture.md walks through one unlock, file by file.
"""
