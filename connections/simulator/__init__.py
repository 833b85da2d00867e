"""A Sugar server for demo, training and tests: it models what the server does, not what a client would like.

In one process:   world = World(); acme = world.add_instance("acme", preset="13.3"); acme.call("GET", "/rest/v10/ping")
Over HTTP:        with SimulatorServer() as sim: sim.add_instance("acme", preset="13.3"); sim.instance_url("acme")
As a program:     python -m connections.simulator --port 0 --instance acme=13.3
"""

from __future__ import annotations

from connections.simulator.control import Control, ControlFailed
from connections.simulator.presets import PRESETS, Parameters
from connections.simulator.server import SimulatorServer
from connections.simulator.wire import Delivery, Request, Response, Step, drive
from connections.simulator.world import Instance, World

__all__ = [
    "PRESETS",
    "Control",
    "ControlFailed",
    "Delivery",
    "Instance",
    "Parameters",
    "Request",
    "Response",
    "SimulatorServer",
    "Step",
    "World",
    "drive",
]
