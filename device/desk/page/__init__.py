"""The resident's page: what may be asked of the door at a telephone, once keys at the door have opened it (ADR 30)."""
