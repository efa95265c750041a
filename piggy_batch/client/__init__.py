"""HTTP to the service: one request, one answer or loss; pace, retries, outages."""

DEFAULT_URL = "https://api.piggy.eu"
