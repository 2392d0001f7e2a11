"""A server that is not the bottleneck: nginx with posters as files, behind TLS and with latency where asked.

The poster path of the VNTANA Admin API is answered by nginx itself, from files; all else goes to a sandbox behind it,
so that clients log in and search as ever. Latency is a pause before each answer (nginx's ``echo_sleep``), which costs
no CPU; it does not slow handshakes or bodies. nginx checks no token: what clients must send is not what is measured.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

DATA = Path(__file__).parent / "data"
DISTINCT = 1000
"""Different pictures; more assets than that share them, by links."""
NOISE = {"rendered": 0.4, "smooth": 0.0}
"""Grain of the pictures, in grey levels: a path tracer's, or none."""

_CONF = """
daemon off; master_process on; worker_processes 2; pid {folder}/pid; error_log {folder}/error.log crit;
load_module /usr/lib/nginx/modules/ngx_http_echo_module.so;
events {{ worker_connections 4096; }}
http {{
  access_log off; sendfile on; tcp_nodelay on; etag on;
  keepalive_requests 10000000; keepalive_timeout 300s; client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/f; uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
  types {{ image/png png; }}
  open_file_cache max=200000 inactive=600s;
  server {{
    listen 127.0.0.1:{port} {tls};
    {certificate}
    location ~ ^/vntana/admin/v1/products/([^/]+)/clients/[^/]+/thumbnails/ {{
      set $poster $1; {sleep} echo_exec /_poster/$poster.png;
    }}
    location ~ ^/_raw/(.+)$ {{ set $poster $1; {sleep} echo_exec /_poster/$poster; }}
    location /_poster/ {{ internal; alias {posters}/; }}
    location / {{
      proxy_pass http://127.0.0.1:{behind}; proxy_http_version 1.1; proxy_set_header Connection "";
      proxy_set_header Host 127.0.0.1:{behind}; client_max_body_size 50m; proxy_buffers 16 64k;
    }}
  }}
}}
"""


def _drawn(number: int, folder: Path, noise: float) -> None:
    """One poster of 512 px: a picture of the sandbox's, turned, tinted and grained until no two are the same."""
    import io

    import numpy as np
    from PIL import Image

    from ipyassets.sandbox import library

    shown = library.objects()
    image = Image.open(io.BytesIO(library.picture("object", shown[number % len(shown)].key))).convert("RGB")
    image = image.resize((512, 512), Image.Resampling.LANCZOS)
    if number // len(shown) % 2:
        image = image.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    random = np.random.default_rng(number)
    pixels = np.asarray(image, np.float32) * random.uniform(0.9, 1.0, 3).astype(np.float32)
    if noise:
        pixels += random.normal(0, noise, pixels.shape).astype(np.float32)
    Image.fromarray(pixels.clip(0, 255).astype(np.uint8)).save(folder / f"{number:04d}.png", compress_level=6)


def posters(kind: str = "rendered") -> Path:
    """A folder of ``DISTINCT`` PNGs of 512 px, made on first use and kept."""
    folder = DATA / f"posters-{kind}"
    if not (folder / "done").exists():
        folder.mkdir(parents=True, exist_ok=True)
        print(f"drawing {DISTINCT} posters into {folder} …", file=sys.stderr)
        with ProcessPoolExecutor() as pool:
            list(pool.map(partial(_drawn, folder=folder, noise=NOISE[kind]), range(DISTINCT), chunksize=20))
        (folder / "done").touch()
    return folder


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextlib.contextmanager
def nginx(served: Path, *, behind: int = 9, tls: bool = False, latency: float = 0.0) -> Iterator[dict[str, Any]]:
    """nginx over the PNGs in ``served``; gives its ``origin`` and, with TLS, the ``ca`` file to trust."""
    program = shutil.which("nginx") or "/usr/sbin/nginx"
    with tempfile.TemporaryDirectory(prefix="ipyassets-nginx-") as name:
        folder, port = Path(name), free_port()
        folder.chmod(0o755)
        certificate, given = "", {"origin": f"{'https' if tls else 'http'}://127.0.0.1:{port}", "ca": None}
        if tls:
            key, ca = folder / "key.pem", folder / "cert.pem"
            subprocess.run(
                ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=127.0.0.1",
                 "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(key), "-out", str(ca)],
                check=True, capture_output=True,
            )  # fmt: skip
            certificate = f"ssl_certificate {ca}; ssl_certificate_key {key}; ssl_session_cache shared:a:10m;"
            given["ca"] = str(ca)
        conf = folder / "nginx.conf"
        conf.write_text(
            "user root;\n"
            + _CONF.format(
                folder=folder,
                port=port,
                tls="ssl" if tls else "",
                certificate=certificate,
                sleep=f"echo_sleep {latency};" if latency else "",
                posters=served,
                behind=behind,
            )
        )
        with subprocess.Popen([program, "-c", str(conf), "-e", str(folder / "start.log")]) as server:
            try:
                _reachable(port)
                yield given
            finally:
                server.terminate()


def _reachable(port: int) -> None:
    for _ in range(100):
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.05)
    raise RuntimeError("nginx did not start")


@contextlib.contextmanager
def sandbox(assets: int) -> Iterator[dict[str, Any]]:
    """A sandbox in a process of its own; gives what it says of itself (``vntana``, ``itwin``, ``scenario``)."""
    command = [sys.executable, __file__, str(assets)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdin is not None
        assert server.stdout is not None
        with server.stdin:  # it serves until this is closed
            yield dict(json.loads(server.stdout.readline()))


@contextlib.contextmanager
def catalogue(options: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """A sandbox with ``count`` products whose posters nginx serves; gives how to log in and the poster URLs."""
    import ipyassets as ia

    count, pictures = options["count"], posters(options.get("pictures", "rendered"))
    with contextlib.ExitStack() as stack:
        info = stack.enter_context(sandbox(count))["vntana"]
        behind = int(info["admin_url"].split(":")[2].split("/")[0])
        served = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="ipyassets-posters-")))
        served.chmod(0o755)
        with ia.Vntana(**login(info)) as client:
            found = [(a.id, a.raw["clientUuid"], a.raw["asset"]["thumbnailBlobId"]) for a in client.search(limit=count)]
        for number, (product, _, _) in enumerate(found):
            (served / f"{product}.png").symlink_to(pictures / f"{number % DISTINCT:04d}.png")
        web = stack.enter_context(nginx(served, behind=behind, tls=options["tls"], latency=options["latency"]))
        info = {**info, "admin_url": f"{web['origin']}/vntana/admin"}
        base, size = info["admin_url"], 512
        urls = [
            f"{base}/v1/products/{p}/clients/{c}/thumbnails/{b}?width={size}&height={size}" for p, c, b in found
        ]
        if len(found) != count:
            raise RuntimeError(f"the sandbox gave {len(found)} of {count} products")
        yield {"vntana": info, "urls": urls, "files": [str(served / f"{p}.png") for p, _, _ in found], "ca": web["ca"]}


def login(info: dict[str, Any]) -> dict[str, Any]:
    """What `ipyassets.Vntana` takes."""
    return {
        "personal_access_token": info["personal_access_token"],
        "organization": info["organization_uuid"],
        "workspace": info["workspace_uuid"],
        "base_url": info["admin_url"],
    }


def _serve(assets: int) -> None:
    from ipyassets.sandbox import Sandbox

    with Sandbox(assets=assets) as running:
        print(json.dumps(running.connection_info()), flush=True)
        sys.stdin.read()


if __name__ == "__main__":
    os.environ.setdefault("PYTHONDONTWRITEBYTECODE", "1")
    _serve(int(sys.argv[1]))
