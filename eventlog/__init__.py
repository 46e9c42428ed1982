"""An event log over PostgreSQL and Kafka. It has never heard of a county or a mediator."""
