"""What people use instead, each as a script of its own: arguments ``base_url token manifest in_flight``."""
