"""All SQL and the schema; converts rows to domain objects. No policy."""
