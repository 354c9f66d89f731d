"""The steps that make a fleet's tables, and change them from one release to the next.

Rules kept here:
- A step that was released is never changed; a new one is added, and its name to `store_tables.REVISIONS`.
- Steps run inside `doorward fleet init` and `doorward fleet upgrade`, all in one transaction: an interrupted upgrade
  has changed nothing.
- A step names its tables itself and imports none: the mapping it was written for will have moved on.
"""
