import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type ListeningProgram, startListening } from "./listening-program.ts";

/** The ports are one for each name, in their order. */
export type Nginx = ListeningProgram;

/**
 * One nginx whose servers, one for each of `names`, answer `<name> <method> <uri>` everywhere, a file of 1 MiB at
 * `/large`, and take bodies. `tls`: they do so over TLS, with these directives. It ends with the object.
 */
export async function startNginx(program: string, names: readonly string[], tls?: string): Promise<Nginx> {
  const folder = await mkdtemp(join(tmpdir(), "gateway-nginx-"));
  await mkdir(join(folder, "temporary"));
  await writeFile(join(folder, "large"), largeBody);
  const file = join(folder, "nginx.conf");
  const started = await startListening({
    program,
    count: names.length,
    signal: "SIGQUIT",
    async prepare(ports) {
      await writeFile(file, configuration(folder, names, ports, tls));
      return ["-p", folder, "-c", file, "-e", "stderr", "-g", "daemon off;"];
    },
  });
  return {
    ports: started.ports,
    async [Symbol.asyncDispose]() {
      await started[Symbol.asyncDispose]();
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
