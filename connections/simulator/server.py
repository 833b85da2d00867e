"""The HTTP server around a world: one port for all instances, and on request one port for each.

`/i/<name>/…` is the instance <name> as a subfolder installation; `/_control/…` is the control API, for loopback only.
"""

from __future__ import annotations

import asyncio
import ipaddress
import ssl
import threading
from collections.abc import Callable
from types import TracebackType
from typing import TypeVar

from connections.simulator import http1, pages
from connections.simulator.control import Control
from connections.simulator.control_api import answer_control
from connections.simulator.instance import Instance
from connections.simulator.wire import Exchange, Request, Response
from connections.simulator.world import World

Result = TypeVar("Result")
_BACKLOG = 1024


class SimulatorServer:
    """`with SimulatorServer() as sim:` serves in a thread of its own; `await sim.open()` in a running loop."""

    def __init__(
        self,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        world: World | None = None,
        port_per_instance: bool = False,
        tls: tuple[str, str] | None = None,
    ) -> None:
        self.host, self.port = host, port
        self.world: World = world or World()
        self.port_per_instance = port_per_instance
        self._tls = _context(*tls) if tls is not None else None
        self._listeners: dict[str, asyncio.Server] = {}
        self._ports: dict[str, int] = {}
        self._connections: set[asyncio.Task[None]] = set()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None

    # --- addresses

    @property
    def url(self) -> str:
        return f"{'https' if self._tls else 'http'}://{self.host}:{self.port}"

    @property
    def control(self) -> Control:
        return Control(self.url)

    def instance_url(self, name: str) -> str:
        """The base URL that staff would type in."""
        folder = self.world[name].parameters.subfolder
        if name in self._ports:
            return f"{self.url.rpartition(':')[0]}:{self._ports[name]}{folder}"
        return f"{self.url}/i/{name}{folder}"

    # --- life

    async def open(self) -> None:
        """Listen; with `port_per_instance` also for every instance that exists."""
        self._loop = asyncio.get_running_loop()
        self._listeners[""] = await self._listen(None, self.port)
        self.port = _port_of(self._listeners[""])
        if self.port_per_instance:
            for instance in self.world:
                await self.open_port(instance.name)

    async def close(self) -> None:
        """Stop listening, cut every connection."""
        for listener in self._listeners.values():
            listener.close()
        for task in list(self._connections):
            task.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)
        self._listeners.clear()

    async def open_port(self, name: str) -> None:
        """The own port of an instance; after `close_port` the same one again."""
        if name not in self._listeners:
            self._listeners[name] = await self._listen(self.world[name], self._ports.get(name, 0))
            self._ports[name] = _port_of(self._listeners[name])

    async def close_port(self, name: str) -> None:
        """Connections to the own port of an instance are refused from now on."""
        listener = self._listeners.pop(name, None)
        if listener is not None:
            listener.close()

    async def _listen(self, instance: Instance | None, port: int) -> asyncio.Server:
        async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await self._serve(reader, writer, instance)

        return await asyncio.start_server(accept, self.host, port, backlog=_BACKLOG, ssl=self._tls)

    # --- one connection

    async def _serve(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, instance: Instance | None
    ) -> None:
        task = asyncio.current_task()
        if task is not None:
            self._connections.add(task)
            task.add_done_callback(self._connections.discard)
        try:
            while await self._serve_one(reader, writer, instance):
                pass
        except (ConnectionError, asyncio.CancelledError, http1.BadRequest, ssl.SSLError):
            pass
        finally:
            writer.close()

    async def _serve_one(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, instance: Instance | None
    ) -> bool:
        message = await http1.read_message(reader, writer)
        if message is None:
            return False
        response, now, number = await self._answer(message, writer.get_extra_info("peername")[0], instance)
        try:
            return await http1.deliver(
                reader,
                writer,
                response,
                now=now,
                keeps_alive=message.keeps_alive,
                has_body=message.method != "HEAD",
            )
        except ConnectionError:
            self.world.journal.abandon(number)
            raise

    async def _answer(
        self, message: http1.Message, peer: str, instance: Instance | None
    ) -> tuple[Response, float, int]:
        """The response, the time of the server that gave it, and the number of its journal entry."""
        if instance is None and message.path.startswith("/_control"):
            return await self._control(message, peer), self.world.clock(), 0
        found = self._instance_of(message, instance)
        if found is None:
            return pages.not_found(), self.world.clock(), 0
        target, path = found
        request = _request(message, path, peer)
        response = await run_exchange(target.handle(request), target)
        return response, target.now(), request.number

    def _instance_of(self, message: http1.Message, instance: Instance | None) -> tuple[Instance, str] | None:
        if instance is not None:
            return instance, message.path
        parts = message.path.split("/", 3)
        if len(parts) < 3 or parts[1] != "i" or parts[2] not in self.world.instances:
            return None
        return self.world[parts[2]], f"/{parts[3]}" if len(parts) > 3 else ""

    async def _control(self, message: http1.Message, peer: str) -> Response:
        if not ipaddress.ip_address(peer).is_loopback:
            return pages.not_found()
        return await answer_control(self, message.method, message.path, message.query, message.body)

    # --- a thread of its own

    def __enter__(self) -> SimulatorServer:
        started = threading.Event()
        failure: list[BaseException] = []

        def run() -> None:
            loop = asyncio.new_event_loop()
            try:
                loop.run_until_complete(self.open())
            except OSError as exc:
                failure.append(exc)
                return
            finally:
                started.set()
            loop.run_forever()
            loop.run_until_complete(self.close())
            loop.run_until_complete(loop.shutdown_asyncgens())
            loop.close()

        self._thread = threading.Thread(target=run, name="simulator", daemon=True)
        self._thread.start()
        started.wait()
        if failure:
            raise failure[0]
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._loop is not None and self._thread is not None:
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join()

    def run(self, change: Callable[[], Result]) -> Result:
        """Call something between two requests, from another thread: the way to touch a world that is being served."""

        async def call() -> Result:
            return change()

        if self._loop is None:
            raise RuntimeError("the server does not run")
        return asyncio.run_coroutine_threadsafe(call(), self._loop).result(10)

    def add_instance(self, name: str, preset: str = "13.3", **parameters: object) -> Instance:
        """Add an instance from another thread, with its own port if that is the way."""
        instance = self.run(lambda: self.world.add_instance(name, preset, **parameters))
        if self.port_per_instance and self._loop is not None:
            asyncio.run_coroutine_threadsafe(self.open_port(name), self._loop).result(10)
        return instance


async def run_exchange(exchange: Exchange, instance: Instance) -> Response:
    """Drive an exchange in real time: wait where the step wants it, stand still where a hold is set.

    A client that hangs up changes nothing: Sugar finishes what it began.
    """
    while True:
        try:
            step = next(exchange)
        except StopIteration as end:
            response: Response = end.value
            return response
        if step.delay:
            await asyncio.sleep(step.delay)
        await _stand(instance, step)


async def _stand(instance: Instance, step: str) -> None:
    ticket = instance.holds.take(step)
    if ticket is None:
        return
    released = asyncio.Event()
    loop = asyncio.get_running_loop()

    def wake() -> None:
        loop.call_soon_threadsafe(released.set)

    ticket.wake = wake
    if not ticket.released:
        await released.wait()


def _request(message: http1.Message, path: str, peer: str) -> Request:
    return Request(
        method=message.method, path=path, query=message.query, headers=message.headers, body=message.body, peer=peer
    )


def _port_of(listener: asyncio.Server) -> int:
    port: int = listener.sockets[0].getsockname()[1]
    return port


def _context(certificate: str, key: str) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    return context
