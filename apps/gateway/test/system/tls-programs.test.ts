/** The gateway over TLS with the programs that people use: openssl and curl. */
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { describe, expect } from "vitest";
import { startChild } from "../support/child-gateway.ts";
import { configFolder } from "../support/config-file.ts";
import { testWith } from "./required-programs.ts";

const exec = promisify(execFile);

describe("a development certificate", () => {
  testWith(["openssl", "curl"], "is one that openssl verifies and curl accepts over both versions of HTTP", async ({ openssl, curl }) => {
    await using folder = await configFolder();
    const certificate = `${folder.path}/dev.pem`;
    const key = `${folder.path}/dev.key`;
    await using making = startChild(["dev-cert", "--cert", certificate, "--key", key]);
    expect(await making.ended).toEqual({ code: 0, signal: null });

    for (const name of [["-verify_hostname", "localhost"], ["-verify_ip", "127.0.0.1"], ["-verify_ip", "::1"]]) {
      const { stdout } = await exec(openssl!, ["verify", "-x509_strict", "-purpose", "sslserver", ...name, "-CAfile", certificate, certificate]);
      expect(stdout).toBe(`${certificate}: OK\n`);
    }
    await expect(exec(openssl!, ["verify", "-verify_hostname", "other.test", "-CAfile", certificate, certificate])).rejects.toThrow("mismatch");
    await exec(openssl!, ["pkey", "-in", key, "-check", "-noout"]);

    const Endpoint = { Url: "https://127.0.0.1:0", Certificate: { Path: certificate, KeyPath: key } };
    const Routes = { r: { Match: { Path: "/" }, Respond: { Body: "served" } } };
    const file = await folder.write("gateway.json", { Server: { Endpoints: { Https: Endpoint } }, ReverseProxy: { Routes } });
    await using gateway = startChild(["run", "-c", file]);
    const [port] = await gateway.listening();
    for (const version of ["--http1.1", "--http2"]) {
      const { stdout } = await exec(curl!, ["-sS", "--noproxy", "*", version, "--cacert", certificate, "-w", " %{http_version}", `https://127.0.0.1:${port}/`]);
      expect(stdout).toBe(version === "--http2" ? "served 2" : "served 1.1");
    }
    const shaking = exec(openssl!, ["s_client", "-connect", `127.0.0.1:${port}`, "-servername", "localhost", "-CAfile", certificate, "-alpn", "h2"]);
    shaking.child.stdin?.end();
    const shown = await shaking;
    expect(shown.stdout).toContain("Verify return code: 0 (ok)");
    expect(shown.stdout).toContain("ALPN protocol: h2");
  });
});
