import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

export interface Nginx {
  /** One for each name, in their order. */
  readonly ports: readonly number[];
  [Symbol.asyncDispose](): Promise<void>;
}

/**
 * One nginx whose servers, one for each of `names`, answer `<name> <method> <uri>` everywhere, a file of 1 MiB at
 * `/large`, and take bodies. `tls`: they do so over TLS, with these directives. It ends with the object.
 */
export async function startNginx(program: string, names: readonly string[], tls?: string): Promise<Nginx> {
  const folder = await mkdtemp(join(tmpdir(), "gateway-nginx-"));
  await mkdir(join(folder, "temporary"));
  await writeFile(join(folder, "large"), largeBody);
  const ports = await freePorts(names.length);
  const file = join(folder, "nginx.conf");
  await writeFile(file, configuration(folder, names, ports, tls));
  const child = spawn(program, ["-p", folder, "-c", file, "-e", join(folder, "error.log"), "-g", "daemon off;"], {
    stdio: "ignore",
  });
  const ended = once(child, "exit");
  await Promise.race([
    Promise.all(ports.map(accepting)),
    ended.then(() => Promise.reject(new Error("nginx ended before it listened"))),
  ]);
  return {
    ports,
    async [Symbol.asyncDispose]() {
      child.kill("SIGQUIT");
      await ended;
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** What `/large` holds: 1 MiB in which no two blocks are alike. */
export const largeBody: Buffer = Buffer.from(
  Array.from({ length: 65_536 }, (_, i) => i.toString(16).padStart(15, "0") + "\n").join(""),
);

function configuration(folder: string, names: readonly string[], ports: readonly number[], tls: string | undefined): string {
  const servers = names.map(
    (name, i) => `
  server {
    listen 127.0.0.1:${ports[i]} ${tls === undefined ? "" : "ssl "}backlog=1024;
    ${tls ?? ""}
    add_header X-Origin ${name} always;
    location = /large { root ${folder}; }
    location / { client_max_body_size 0; return 200 "${name} $request_method $request_uri\\n"; }
  }`,
  );
  return `
${process.getuid?.() === 0 ? "user root;" : ""}
worker_processes 1;
pid ${folder}/nginx.pid;
events { worker_connections 1024; }
http {
  access_log off;
  default_type text/plain;
  keepalive_requests 1000000;
  client_body_temp_path ${folder}/temporary;
  proxy_temp_path ${folder}/temporary;
  fastcgi_temp_path ${folder}/temporary;
  uwsgi_temp_path ${folder}/temporary;
  scgi_temp_path ${folder}/temporary;
${servers.join("\n")}
}
`;
}

export async function freePorts(count: number): Promise<readonly number[]> {
  const probes = Array.from({ length: count }, () => createServer().listen(0, "127.0.0.1"));
  await Promise.all(probes.map((probe) => once(probe, "listening")));
  const ports = probes.map((probe) => (probe.address() as AddressInfo).port);
  await Promise.all(probes.map((probe) => once(probe.close(), "close")));
  return ports;
}

/** Some programs say nothing when they are ready: the port is asked until it answers. */
export async function accepting(port: number): Promise<void> {
  for (;;) {
    const connected = await new Promise<boolean>((resolve) => {
      const socket = connect(port, "127.0.0.1", () => {
        socket.destroy();
        resolve(true);
      });
      socket.on("error", () => setTimeout(() => resolve(false), 20));
    });
    if (connected) return;
  }
}
