"""The workshop: what builds, measures, simulates and audits a door. Nothing here runs on one."""
