/** The destination of all measurements: one nginx worker that answers from memory. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Running, accepts, freePort, start } from "./processes.ts";

export interface Origin {
  readonly port: number;
  readonly running: Running;
}

export const nginxPath = "/usr/sbin/nginx";

/** What every nginx here starts with: one worker in the foreground, no logs, all files below `folder`. */
export function nginxPreamble(folder: string, name: string): string {
  return `daemon off; worker_processes 1; error_log stderr error; pid ${folder}/${name}.pid;
events { worker_connections 8192; }
http {
  access_log off; keepalive_requests 100000000; keepalive_timeout 600s; tcp_nodelay on; client_max_body_size 0;
  client_body_temp_path ${folder}/${name}-body; proxy_temp_path ${folder}/${name}-proxy;
  fastcgi_temp_path ${folder}/${name}-f; uwsgi_temp_path ${folder}/${name}-u; scgi_temp_path ${folder}/${name}-s;
`;
}

export async function startOrigin(folder: string, core: number): Promise<Origin> {
  const port = await freePort();
  const inner = await freePort();
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "megabyte"), Buffer.alloc(1_048_576, "x"));
  writeFileSync(join(folder, "sixty-four"), Buffer.alloc(65_536, "x"));
  const hundred = "x".repeat(100);
  // `return` answers before the request body is read; /read-body passes it on inside nginx, so that the answer
  // comes when the whole body is there, as an application's does.
  const config = `${nginxPreamble(folder, "origin")}
  upstream inner { server 127.0.0.1:${inner}; keepalive 64; }
  server { listen 127.0.0.1:${inner}; location / { return 200 "${hundred}"; } }
  server {
    listen 127.0.0.1:${port} backlog=4096; sendfile on; root ${folder};
    client_body_buffer_size 2m;
    location ~ small$ { return 200 "${hundred}"; }
    location = /megabyte { }
    location = /sixty-four { }
    location = /read-body {
      proxy_pass http://inner/; proxy_http_version 1.1; proxy_set_header Connection ""; proxy_pass_request_body off;
      proxy_set_header Content-Length "";
    }
  }
}
`;
  const file = join(folder, "origin.conf");
  writeFileSync(file, config);
  const running = start(core, [nginxPath, "-c", file, "-p", folder]);
  await accepts(port);
  return { port, running };
}
