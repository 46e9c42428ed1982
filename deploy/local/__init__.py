"""The local platform: PostgreSQL, Kafka and the four services as child processes of one home directory."""
