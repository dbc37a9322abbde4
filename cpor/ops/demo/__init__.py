"""The demo: sample claims through their whole life on real Kafka and S3."""
