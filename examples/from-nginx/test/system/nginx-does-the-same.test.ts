import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { cpSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { behaviourOf } from "../behaviour.ts";
import { freePort, startGateway } from "../gateway.ts";
import { startSite, type Site } from "../site.ts";

const path = (relative: string): string => fileURLToPath(new URL(relative, import.meta.url));

function nginx(): string | undefined {
  for (const program of ["nginx", "/usr/sbin/nginx"]) {
    try {
      execFileSync(program, ["-v"], { stdio: "ignore" });
      return program;
    } catch {
      // The next one.
    }
  }
  return undefined;
}

/** nginx with the example's file, told where everything is here. */
async function startNginx(program: string, site: Site) {
  const [http, https] = [await freePort(), await freePort()];
  const at = (folder: string): string => {
    mkdirSync(`${site.folder}/${folder}`, { recursive: true });
    return `${site.folder}/${folder}`;
  };
  let text = readFileSync(path("../../nginx.conf"), "utf8");
  for (const [address, port] of site.ports) text = text.replaceAll(address, `127.0.0.1:${port}`);
  cpSync(path("../../www"), at("www"), { recursive: true });
  text = text
    .replaceAll("listen 80;", `listen 127.0.0.1:${http};`)
    .replaceAll("listen 443 ssl", `listen 127.0.0.1:${https} ssl`)
    .replaceAll("/etc/ssl/shop.pem", site.certificate)
    .replaceAll("/etc/ssl/shop.key", site.key)
    .replaceAll("/srv/www", at("www"))
    .replaceAll("/var/log/nginx", at("log"))
    .replaceAll("/var/cache/nginx", at("cache"))
    .replace("worker_processes auto;", `worker_processes 1; user root; daemon off; pid ${site.folder}/nginx.pid; error_log ${at("log")}/error.log;`)
    .replace("http {", `http { ${["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map((kind) => `${kind}_temp_path ${at(`temp/${kind}`)};`).join(" ")}`);
  const file = `${site.folder}/nginx.conf`;
  writeFileSync(file, process.getuid?.() === 0 ? text : text.replace(" user root;", ""));
  const child = spawn(program, ["-c", file], { stdio: ["ignore", "ignore", "inherit"] });
  await expect.poll(() => accepts(https), { interval: 20, timeout: 60_000 }).toBe(true);
  return {
    http,
    https,
    async stop() {
      child.kill("SIGTERM");
      await once(child, "exit");
    },
  };
}

async function accepts(port: number): Promise<boolean> {
  const socket = connect(port, "127.0.0.1");
  try {
    await once(socket, "connect");
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}

const program = nginx();

test.skipIf(program === undefined && process.env["CI"] !== "true")(`nginx and the gateway do the same with their files${program === undefined ? " (skipped: nginx is not installed)" : ""}`, async () => {
  const site = await startSite();
  const running = [await startNginx(program ?? "nginx", site), await startGateway(site)];
  try {
    const [theirs, ours] = [await behaviourOf(running[0]!), await behaviourOf(running[1]!)];
    expect(ours).toEqual(theirs);
  } finally {
    for (const each of running) await each.stop();
    await site.close();
  }
});
