"""What is measured: the provider itself, bare proxies before it, gateways, and meshai; and what they cost."""
import os
import pathlib
import shutil
import socket
import subprocess
import time

KEY = "k-bench"
PROVIDER_KEY = "sk-bench"

HAPROXY = """
global
  maxconn 8192
  nbthread {cores}
defaults
  mode http
  timeout connect 5s
  timeout client 60s
  timeout server 60s
  option http-keep-alive
  option http-no-delay
  http-reuse always
frontend in
  bind 127.0.0.1:{port}
  default_backend provider
backend provider
  server provider 127.0.0.1:{provider}
"""

NGINX = """
daemon off;
worker_processes {cores};
pid {folder}/nginx.pid;
error_log {folder}/error.log;
worker_rlimit_nofile 16384;
events {{ worker_connections 4096; }}
http {{
  access_log off;
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  keepalive_requests 1000000000;
  upstream provider {{
    server 127.0.0.1:{provider};
    keepalive 1024;
    keepalive_requests 1000000000;
  }}
  server {{
    listen 127.0.0.1:{port} reuseport backlog=4096;
    location / {{
      proxy_pass http://provider;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_buffering off;
    }}
  }}
}}
"""

ENVOY = """
static_resources:
  listeners:
  - address: {{socket_address: {{address: 127.0.0.1, port_value: {port}}}}}
    filter_chains:
    - filters:
      - name: envoy.filters.network.http_connection_manager
        typed_config:
          "@type": type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager
          stat_prefix: bench
          route_config:
            virtual_hosts:
            - name: all
              domains: ["*"]
              routes: [{{match: {{prefix: "/"}}, route: {{cluster: provider, timeout: 0s}}}}]
          http_filters:
          - name: envoy.filters.http.router
            typed_config: {{"@type": type.googleapis.com/envoy.extensions.filters.http.router.v3.Router}}
  clusters:
  - name: provider
    type: STATIC
    load_assignment:
      cluster_name: provider
      endpoints:
      - lb_endpoints:
        - endpoint: {{address: {{socket_address: {{address: 127.0.0.1, port_value: {provider}}}}}}}
"""

MESHAI = """
[api]
listen = "127.0.0.1:{port}"
workers = {workers}

[[key]]
name = "bench"
secret = "env:MESHAI_KEY"

[[node]]
name = "openai"
tier = "cloud"
kind = "openai"
url = "http://127.0.0.1:{provider}/v1"
key = "env:PROVIDER_KEY"
models = [{models}]
"""

LITELLM = """
model_list:
- model_name: "*"
  litellm_params: {{model: "openai/*", api_base: "http://127.0.0.1:{provider}/v1", api_key: "{key}"}}
"""


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def tree(pid):
    """The process and all below it."""
    found, waiting = [], [pid]
    while waiting:
        one = waiting.pop()
        found.append(one)
        for children in pathlib.Path(f"/proc/{one}/task").glob("*/children"):
            try:
                waiting += [int(child) for child in children.read_text().split()]
            except OSError:
                pass
    return found


class Target:
    """One process tree that answers at `port`."""

    def __init__(self, name, port, command=None, environment=None, headers=(), patience=30):
        self.name, self.port = name, port
        self.headers = [f"Authorization: Bearer {KEY}", *headers]
        self.process = None
        if command:
            self.log = open(pathlib.Path(environment["HOME"]) / f"{name}.log", "w+b")
            self.process = subprocess.Popen(command, env=environment, stdout=self.log, stderr=self.log)
            self._wait(patience)

    def _wait(self, patience):
        until = time.monotonic() + patience
        while time.monotonic() < until and self.process.poll() is None:
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
                return
            except OSError:
                time.sleep(0.05)
        self.stop()
        self.log.seek(0)
        raise RuntimeError(f"{self.name} does not come up:\n{self.log.read().decode(errors='replace')[-2000:]}")

    def cpu(self):
        """Seconds of all its threads, those that have ended included. The scheduler counts nanoseconds for the living;
        /proc/PID/stat, in hundredths, is the floor that knows the dead."""
        ticks, exact = 0, 0
        for pid in tree(self.process.pid):
            try:
                fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
                ticks += sum(int(field) for field in fields[11:15])  # utime, stime, and those of waited-for children
                for thread in pathlib.Path(f"/proc/{pid}/task").glob("*/schedstat"):
                    exact += int(thread.read_text().split()[0])
            except OSError:
                pass
        coarse = ticks / os.sysconf("SC_CLK_TCK")
        return exact / 1e9 if abs(exact / 1e9 - coarse) < 0.05 + 0.02 * coarse else coarse

    def memory(self):
        """Megabytes: of one process its resident set, of several the proportional one, where what they share counts
        once."""
        total, pids = 0, tree(self.process.pid)
        kind = "Rss:" if len(pids) == 1 else "Pss:"
        for pid in pids:
            try:
                for line in pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
                    if line.startswith(kind):
                        total += int(line.split()[1])
            except OSError:
                pass
        return total / 1024

    def stop(self):
        if self.process and self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()


def find(program, rivals):
    ours = pathlib.Path(rivals) / "bin" / program
    return str(ours) if ours.exists() else shutil.which(program)


def written(folder, name, text):
    path = pathlib.Path(folder) / name
    path.write_text(text)
    return str(path)


def start(name, folder, build, rivals, provider, models):
    """A started target; None where it is not installed."""
    cores = os.cpu_count()
    port = free_port()
    into = pathlib.Path(folder) / name
    into.mkdir(mode=0o700)
    environment = {"PATH": os.environ["PATH"], "HOME": str(into), "XDG_RUNTIME_DIR": str(into)}
    values = {"port": port, "provider": provider, "cores": cores, "folder": into, "key": PROVIDER_KEY,
              "models": ", ".join(f'"{model}"' for model in models)}
    if name == "direct":
        return Target(name, provider)
    if name.startswith("meshai"):  # "meshai-1": with one worker; else with one for each core, as by default
        workers = int(name.partition("-")[2] or min(cores, 8))
        config = written(into, "meshai.toml", MESHAI.format(workers=workers, **values))
        return Target(name, port, [f"{build}/meshai", "serve", "--config", config],
                      {**environment, "MESHAI_KEY": KEY, "PROVIDER_KEY": PROVIDER_KEY})
    program = find("gateway" if name == "portkey" else name, rivals)
    if program is None:
        return None
    if name == "haproxy":
        return Target(name, port, [program, "-db", "-f", written(into, "config", HAPROXY.format(**values))], environment)
    if name == "nginx":
        return Target(name, port, [program, "-p", str(into), "-c", written(into, "config", NGINX.format(**values))],
                      environment)
    if name == "envoy":
        return Target(name, port, [program, "-l", "error", "--concurrency", str(cores), "-c",
                                   written(into, "envoy.yaml", ENVOY.format(**values))], environment)
    if name == "litellm":
        return Target(name, port, [program, "--config", written(into, "config.yaml", LITELLM.format(**values)), "--port",
                                   str(port), "--host", "127.0.0.1"], environment, patience=120)
    if name == "portkey":
        return Target(name, port, [program, f"--port={port}", "--headless"], environment,
                      ["x-portkey-provider: openai", f"x-portkey-custom-host: http://127.0.0.1:{provider}/v1"])
    raise ValueError(name)
