"""The services of docker-compose.yaml as processes of this machine, with what Docker would do for them.

A service's command, environment and health check are those of the file. Other hosts become ports of
loopback, volumes folders; PostgreSQL and Redis are those that are installed here, Spark is the Python package's.
"""

import os
import re
import subprocess
import sys
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import psutil

from tests.deployment import compose
from tests.servers.postgres import Postgres, loopback_port, postgres
from tests.servers.redis import Redis, redis
from warehouse.spark_server import spark_home

CODE = "/sluice"
SPARK = "/opt/spark"
HEALTHY_SECONDS = 300


class Container:
    """A process in the place of a container; it has the name of its service and a number."""

    def __init__(
        self, name: str, command: list[str], environment: dict[str, str], code: Path, log: Path
    ) -> None:
        self.name = name
        self._command, self._environment, self._code, self._log = command, environment, code, log
        self.start()

    def start(self) -> None:
        """Start it, or start it again."""
        self._log.parent.mkdir(parents=True, exist_ok=True)
        with self._log.open("a") as log:
            self.process = subprocess.Popen(
                self._command,
                cwd=self._code,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def run(self, command: list[str]) -> bool:
        """Run a command beside it, as `docker exec`; return whether it ended well."""
        done = subprocess.run(command, cwd=self._code, env=self._environment, capture_output=True, text=True)
        return done.returncode == 0

    def holds(self, pid: int) -> bool:
        """Whether a process is one of its own."""
        with suppress(psutil.NoSuchProcess):
            return pid in {each.pid for each in self._family()}
        return False

    def kill(self) -> None:
        """End all of its processes at once, as the death of its machine would."""
        stopped: dict[int, psutil.Process] = {}
        # Who is stopped starts no further process.
        while new := [each for each in self._family() if each.pid not in stopped]:
            for each in new:
                with suppress(psutil.NoSuchProcess):
                    each.suspend()
                stopped[each.pid] = each
        for each in stopped.values():
            with suppress(psutil.NoSuchProcess):
                each.kill()
        self.process.wait()

    def tail(self) -> str:
        """The end of its log."""
        return f"{self._log}:\n" + "\n".join(self._log.read_text(errors="replace").splitlines()[-30:])

    def _family(self) -> list[psutil.Process]:
        head = psutil.Process(self.process.pid)
        return [head, *head.children(recursive=True)]


class Containers:
    """What `docker compose up` makes of the file, for one `.env`."""

    def __init__(self, code: Path, variables: dict[str, str]) -> None:
        """`code` stands for the image: a checkout, whose folder `data` is the volume, with `.env` and `sluice.env`."""
        self.code = code
        self.variables = variables
        self.restarts: Counter[str] = Counter()
        self._ports: dict[tuple[str, int], int] = defaultdict(loopback_port)
        self._containers: dict[str, list[Container]] = {}
        self.postgres: Postgres | None = None
        self.redis: Redis | None = None
        self._servers = ExitStack()
        self._watching = threading.Event()
        self._watcher: threading.Thread | None = None
        self._read()

    def up(self, profiles: str = "", *names: str) -> None:
        """Start the services, and those of the profiles, in their order; wait until all are healthy.

        With names, these and what they need; without, all but Spark's, which take this machine minutes.
        """
        self.variables["COMPOSE_PROFILES"] = profiles
        self._read()
        for name in names or [name for name in self.active if not self._is_spark(name)]:
            self._ensure(name)
        self._watching.set()
        self._watcher = threading.Thread(target=self._restart_ended, daemon=True)
        self._watcher.start()
        for name in self._containers:
            self._await_healthy(name)

    def stop(self) -> None:
        """Stop the services of Airflow's; databases and volumes stay."""
        self._watching.clear()
        if self._watcher:
            self._watcher.join()
        containers = [each for group in self._containers.values() for each in group]
        for container in containers:
            # The next start does the work of what is cut off here.
            with suppress(psutil.NoSuchProcess):
                container.kill()
        self._containers.clear()

    def down(self) -> None:
        """Stop and remove everything but the folder of the data."""
        self.stop()
        self._servers.close()

    def of(self, name: str) -> list[Container]:
        """A service's containers."""
        return self._containers.get(name, [])

    def url(self, name: str, port: int) -> str:
        """Where a service's port is on this machine."""
        return f"http://127.0.0.1:{self._ports[name, port]}"

    def _read(self) -> None:
        self.services = compose.read(self.variables)["services"]
        self.active = list(compose.active(self.services, self.variables))

    def _ensure(self, name: str) -> None:
        """Start a service, once what it depends on is as it says."""
        service = self.services[name]
        if name in self._containers:
            return
        if service["image"].startswith("postgres:"):
            if not self.postgres:
                self.postgres = self._servers.enter_context(self.new_postgres())
                self._ports[name, 5432] = self.postgres.port
            return
        if service["image"].startswith("redis:"):
            if not self.redis:
                self.redis = self._servers.enter_context(redis(service["environment"]["REDISCLI_AUTH"]))
                self._ports[name, 6379] = self.redis.port
            return
        for other, how in service.get("depends_on", {}).items():
            if other not in self.active:
                assert not how.get("required", True), f"{name} needs {other}, which is not started"
                continue
            self._ensure(other)
            if how["condition"] == "service_completed_successfully":
                container = self.of(other)[0]
                assert container.process.wait(HEALTHY_SECONDS) == 0, container.tail()
            else:
                self._await_healthy(other)
        self._containers[name] = [
            self._container(name, number)
            for number in range(1, service.get("deploy", {}).get("replicas", 1) + 1)
        ]

    @contextmanager
    def new_postgres(self) -> Iterator[Postgres]:
        """PostgreSQL as its image makes it on an empty volume."""
        service = self.services["postgres"]
        with postgres(service["environment"]["POSTGRES_PASSWORD"]) as server:
            (scripts,) = [
                volume.split(":")[0]
                for volume in service["volumes"]
                if ":/docker-entrypoint-initdb.d" in volume
            ]
            for script in sorted((self.code / scripts).iterdir()):
                flags = ["--no-psqlrc", "--set", "ON_ERROR_STOP=1", "--file", str(script)]
                server.client("psql", *flags, database="postgres", environment=service["environment"])
            yield server

    def _container(self, name: str, number: int) -> Container:
        service = self.services[name]
        words = [*service.get("entrypoint", []), *service.get("command", [])]
        variables = compose.environment(service, self.code)
        paths = [str(Path(sys.executable).parent), os.environ["PATH"]]
        return Container(
            f"{name}-{number}",
            [self._here(word, name) for word in words],
            {
                **{variable: self._here(str(text)) for variable, text in variables.items()},
                **self._addresses(name, variables),
                **(self._image_of_spark() if self._is_spark(name) else {}),
                # Docker sets it; the rest is the image's.
                "HOSTNAME": f"{name}-{number}",
                "PATH": os.pathsep.join(paths),
                # The image has the project installed from its own code.
                "PYTHONPATH": str(self.code),
                "HOME": str(self.code),
                "LANG": "C.UTF-8",
            },
            self.code,
            self.code / "containers" / f"{name}-{number}.log",
        )

    @staticmethod
    def _image_of_spark() -> dict[str, str]:
        return {"SPARK_HOME": str(spark_home()), "SPARK_LOCAL_IP": "127.0.0.1"}

    def _is_spark(self, name: str) -> bool:
        return "spark" in self.services[name]["image"]

    def _addresses(self, name: str, variables: Mapping[str, str]) -> dict[str, str]:
        """Hosts and ports that stand alone: a port is the host's beside which it stands, or the service's own."""
        found = {variable: "127.0.0.1" for variable in variables if variable.endswith("_HOST")}
        for variable, port in variables.items():
            if variable.endswith("_PORT"):
                host = variables.get(f"{variable.removesuffix('_PORT')}_HOST", name)
                found[variable] = str(self._ports[host, int(port)])
        return found

    def _here(self, text: str, within: str | None = None) -> str:
        """The text with hosts, ports and folders of this machine; `within` a container loopback is its own."""
        hosts = "|".join(map(re.escape, self.services))
        text = re.sub(
            rf"(?<![\w.-])({hosts}):(\d+)", lambda at: f"127.0.0.1:{self._ports[at[1], int(at[2])]}", text
        )
        if within:
            text = re.sub(
                r"127\.0\.0\.1:(8\d{3})\b", lambda at: f"127.0.0.1:{self._ports[within, int(at[1])]}", text
            )
            if any(mapping.endswith(f":{text}") for mapping in self.services[within].get("ports", [])):
                text = str(self._ports[within, int(text)])
        text = re.sub(rf"(?<!\w){CODE}(?=/|$)", str(self.code), text)
        text = re.sub(rf"(?<=host=)({hosts})$", "127.0.0.1", text)
        text = re.sub(rf"^{SPARK}(?=/)", lambda at: str(spark_home()), text)
        return "127.0.0.1" if text == "0.0.0.0" else text

    def _await_healthy(self, name: str) -> None:
        if name not in self._containers or "healthcheck" not in self.services[name]:
            return
        how, *words = self.services[name]["healthcheck"]["test"]
        words = [self._here(word, name) for word in words]
        command = ["sh", "-c", *words] if how == "CMD-SHELL" else words
        deadline = time.monotonic() + HEALTHY_SECONDS
        for container in self.of(name):
            while not container.run(command):
                assert time.monotonic() < deadline, f"{name} is not healthy. {container.tail()}"
                time.sleep(0.5)

    def _restart_ended(self) -> None:
        """Do what the restart policies say, until the services are stopped."""
        while self._watching.is_set():
            for name, group in list(self._containers.items()):
                if self.services[name]["restart"] != "unless-stopped":
                    continue
                for container in group:
                    if container.process.poll() is not None and self._watching.is_set():
                        self.restarts[name] += 1
                        container.start()
            time.sleep(0.3)
