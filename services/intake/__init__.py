"""Intake: what people say, turned into well-formed, fairly screened, correctly routed issues."""
