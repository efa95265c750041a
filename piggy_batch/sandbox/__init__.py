"""A local, faithful stand-in for the Piggy (Leat) service: an ASGI application, a server and a set of faults.

It is a second, independent reading of the documentation, so it imports nothing from the rest of the package.
Facts carry their source in the docstrings: SEED (the two documentation pages), DUMP and LDOC (scrapes of the
vendor's documentation), POST (the vendor's collection with captured answers), SDK, MAG, WOO and APP (public
code that calls the live service), PROBE (a wire capture of the SDK). Each is *stated*, *observed* or
*inferred*.

In process: ``httpx.AsyncClient(transport=httpx.ASGITransport(app=make_app(Sandbox(Settings()))), base_url=...)``.
On a port: ``serve(Settings(), 0)``.
"""

from piggy_batch.sandbox.asgi import make_app
from piggy_batch.sandbox.faults import FAULT_KINDS, ConnectionCut, Fault, parse_fault
from piggy_batch.sandbox.server import serve, serve_sandbox
from piggy_batch.sandbox.service import Sandbox
from piggy_batch.sandbox.settings import Churn, Settings
from piggy_batch.sandbox.world.state_file import account_of

__all__ = [
    "FAULT_KINDS",
    "Churn",
    "ConnectionCut",
    "Fault",
    "Sandbox",
    "Settings",
    "account_of",
    "make_app",
    "parse_fault",
    "serve",
    "serve_sandbox",
]
