import { once } from "node:events";
import { readFile, stat, writeFile } from "node:fs/promises";
import { connect } from "node:tls";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { devCert } from "../../src/cli/dev-cert.ts";
import { parseInvocation, UsageError } from "../../src/cli/invocation.ts";
import type { DevCertInvocation } from "../../src/cli/invocation.ts";
import { configFolder } from "../support/config-file.ts";
import type { ConfigFolder } from "../support/config-file.ts";
import { startGateway } from "../support/running-gateway.ts";

let folder: ConfigFolder;
let certificate: string;
let key: string;
beforeEach(async () => {
  folder = await configFolder();
  certificate = `${folder.path}/dev.pem`;
  key = `${folder.path}/dev.key`;
});
afterEach(() => folder[Symbol.asyncDispose]());

async function run(...args: string[]) {
  let out = "";
  let error = "";
  const invocation = parseInvocation(["dev-cert", "--cert", certificate, "--key", key, ...args]) as DevCertInvocation;
  const code = await devCert(invocation, { out: (text) => (out += text), error: (text) => (error += text) });
  return { code, out, error };
}

describe("gateway dev-cert", () => {
  test("writes what a gateway serves with and a client that trusts it accepts, for every name of loopback and those asked for", async () => {
    const { code, out, error } = await run("--host", "shop.localhost");
    expect([code, error]).toEqual([0, ""]);
    // The configuration that it prints is one.
    const printed = JSON.parse(/^\{[^]*?^\}$/m.exec(out)![0]) as { Server: { Endpoints: { Https: { Url: string } } } };
    printed.Server.Endpoints.Https.Url = "https://127.0.0.1:0";
    const file = await folder.write("gateway.json", { ...printed, ReverseProxy: {} });
    await using gateway = await startGateway([file], { urls: "" });
    const ca = await readFile(certificate);
    for (const host of ["localhost", "shop.localhost", "127.0.0.1"]) {
      const name = host === "127.0.0.1" ? { host } : { host: "127.0.0.1", servername: host };
      const socket = connect({ port: gateway.port, ca, ...name });
      await once(socket, "secureConnect");
      expect(socket.authorized).toBe(true);
      socket.destroy();
    }
    const stranger = connect({ port: gateway.port, host: "127.0.0.1", servername: "other.test", ca });
    expect(String((await once(stranger, "error"))[0])).toContain("altnames");
  });

  test("keeps the key to its owner and says where everything is", async () => {
    const { out } = await run();
    expect(((await stat(key)).mode & 0o777).toString(8)).toBe("600");
    expect(((await stat(certificate)).mode & 0o777).toString(8)).toBe("644");
    for (const text of [certificate, key, "localhost, 127.0.0.1, ::1", "SHA-256", "NODE_EXTRA_CA_CERTS"]) expect(out).toContain(text);
    expect(out).not.toContain("PRIVATE KEY");
  });

  test("replaces nothing without --force, and then with the right permissions", async () => {
    await writeFile(key, "precious", { mode: 0o644 });
    const refused = await run();
    expect(refused).toEqual({ code: 1, out: "", error: `gateway: ${key} exists; it is replaced with --force only\n` });
    expect(await readFile(key, "utf8")).toBe("precious");
    await expect(stat(certificate)).rejects.toThrow("ENOENT");
    expect((await run("--force")).code).toBe(0);
    expect(await readFile(key, "utf8")).toContain("BEGIN PRIVATE KEY");
    expect(((await stat(key)).mode & 0o777).toString(8)).toBe("600");
  });

  test("writes no key where the certificate cannot be written", async () => {
    certificate = `${folder.path}/missing/dev.pem`;
    const { code, error } = await run();
    expect([code, error]).toEqual([1, `gateway: ${certificate} cannot be written (ENOENT)\n`]);
    await expect(stat(key)).rejects.toThrow("ENOENT");
  });

  test("refuses names and numbers that make no sense", async () => {
    expect(await run("--host", "no host")).toMatchObject({ code: 2, error: "gateway: --host 'no host' is neither a host name nor an IP address\n" });
    for (const args of [["--days", "0"], ["--days", "9999"], ["stray"], ["--cert", key]]) {
      expect(() => parseInvocation(["dev-cert", "--key", key, ...args])).toThrow(UsageError);
    }
  });
});
