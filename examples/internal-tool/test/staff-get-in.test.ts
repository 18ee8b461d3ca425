import { execFileSync, spawn, spawnSync, type ChildProcess } from "node:child_process";
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { once } from "node:events";
import { createServer, type IncomingMessage, type Server } from "node:http";
import { request } from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";

const path = (relative: string): string => fileURLToPath(new URL(relative, import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "internal-tool-"));
let tool: Server;
let gateway: ChildProcess;
let port: number;

beforeAll(async () => {
  copyFileSync(path("../gateway.json"), join(folder, "gateway.json"));
  execFileSync(path("../make-certificates.sh"), [join(folder, "certs")]);
  tool = createServer((req, res) => res.end(`${req.headers["x-staff"]} ${req.headers["x-staff-mail"]}`));
  await once(tool.listen(0, "127.0.0.1"), "listening");
  const env = {
    PATH: process.env["PATH"],
    Server__Endpoints__staff__Url: "https://127.0.0.1:0",
    ReverseProxy__Clusters__tool__Destinations__a__Address: `http://127.0.0.1:${(tool.address() as AddressInfo).port}/`,
  };
  const args = ["--conditions=@proxy/source", path("../../../apps/gateway/src/main.ts"), "run", "--strict", "--config", join(folder, "gateway.json")];
  const child = spawn(process.execPath, args, { env, stdio: ["ignore", "pipe", "inherit"] });
  gateway = child;
  const ended = once(child, "exit").then(([code]) => Promise.reject(new Error(`the gateway ended with ${code}`)));
  const [line] = (await Promise.race([once(child.stdout, "data"), ended])) as [Buffer];
  ended.catch(() => {});
  port = Number(/:(\d+)\n/.exec(line.toString())?.[1]);
});
afterAll(async () => {
  if (gateway.exitCode === null && gateway.kill("SIGTERM")) await once(gateway, "exit");
  tool.close().closeAllConnections();
  rmSync(folder, { recursive: true });
});

const file = (name: string): Buffer => readFileSync(join(folder, "certs", name));

/** Status and body; what the handshake fails with for those who may not connect. */
async function ask(who: string | undefined, target: string, headers: Readonly<Record<string, string>> = {}): Promise<string> {
  const own = who === undefined ? {} : { cert: file(`${who}.pem`), key: file(`${who}.key`) };
  const sending = request({ host: "127.0.0.1", port, servername: "localhost", path: target, headers, agent: false, ca: file("ca.pem"), ...own }).end();
  const [response] = (await once(sending, "response")) as [IncomingMessage];
  let body = "";
  for await (const chunk of response.setEncoding("utf8")) body += String(chunk);
  return `${response.statusCode} ${body}`.trimEnd();
}

test("without certificates the gateway says which files it misses", () => {
  const bare = join(folder, "bare");
  mkdirSync(bare);
  copyFileSync(path("../gateway.json"), join(bare, "gateway.json"));
  const args = ["--conditions=@proxy/source", path("../../../apps/gateway/src/main.ts"), "check", "--config", join(bare, "gateway.json")];
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: "utf8" });
  expect(status).toBe(1);
  for (const name of ["ca.pem", "revoked.crl"]) expect(stdout + stderr).toContain(`there is no file '${join(bare, "certs", name)}'`);
});

test("staff get in, and the tool learns who they are", async () => {
  expect(await ask("bob", "/")).toBe("200 bob bob@example.org");
  expect(await ask("bob", "/", { "X-Staff": "ann", "X_Staff": "ann" })).toBe("200 bob bob@example.org");
});

test("some things are not for all of them", async () => {
  expect(await ask("ann", "/admin/users", { "X-Staff-Mail": "root@example.org" })).toBe("200 ann undefined");
  expect(await ask("bob", "/admin/users")).toBe("403");
});

test("who left does not get in, and who has no certificate does not get that far", async () => {
  expect(await ask("eve", "/")).toBe("403");
  await expect(ask(undefined, "/")).rejects.toThrow();
});
