"""All SQL and the schema; rows become domain objects here. No policy."""
