/** openssl s_client in front of the gateway: versions, protocols, names, sessions and certificates of clients. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect } from "vitest";
import { certificateFile } from "../support/tls-client.ts";
import { openFrontDoors, type FrontDoors } from "../support/front-doors.ts";
import { testWith } from "./required-programs.ts";

const destination = { handler: (_request: unknown, response: { end(body: string): unknown }): void => void response.end("served") };

/** All that s_client says while it sends one request and waits for the connection's end. */
async function connect(openssl: string, doors: FrontDoors, ...args: readonly string[]): Promise<string> {
  const child = spawn(openssl, ["s_client", "-connect", `127.0.0.1:${doors.secure}`, "-ign_eof", ...args], { stdio: "pipe" });
  let text = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk: Buffer) => (text += chunk.toString("latin1")));
  // It ends before it reads this where there is no handshake.
  child.stdin.on("error", () => {});
  child.stdin.end("GET /h1/ HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
  await once(child, "close");
  return text;
}

describe("openssl s_client", () => {
  testWith(["openssl"], "is served in TLS 1.2 and 1.3, and in nothing older", async ({ openssl }) => {
    await using doors = await openFrontDoors(destination);
    for (const [flag, version] of [["-tls1_2", "TLSv1.2"], ["-tls1_3", "TLSv1.3"]] as const) {
      const text = await connect(openssl!, doors, flag, "-CAfile", doors.certificate);
      expect(text).toContain(`New, ${version}, Cipher is `);
      expect(text).toContain("Verify return code: 0 (ok)");
      expect(text).toMatch(/HTTP\/1\.1 200 OK\r\n[^]*served/);
    }
    const old = await connect(openssl!, doors, "-tls1_1", "-cipher", "DEFAULT:@SECLEVEL=0");
    expect(old).toContain("protocol version");
    expect(old).not.toContain("HTTP/1.1 200");
  });

  testWith(["openssl"], "agrees on a protocol, or is told that there is none", async ({ openssl }) => {
    await using doors = await openFrontDoors(destination);
    expect(await connect(openssl!, doors, "-alpn", "http/1.1")).toContain("ALPN protocol: http/1.1");
    expect(await connect(openssl!, doors, "-alpn", "h3,http/1.1")).toContain("ALPN protocol: http/1.1");
    expect(await connect(openssl!, doors)).toContain("No ALPN negotiated");
    expect(await connect(openssl!, doors, "-alpn", "h3")).toContain("no application protocol");
  });

  testWith(["openssl"], "resumes its session in both versions of TLS", async ({ openssl }) => {
    await using doors = await openFrontDoors(destination);
    const folder = await mkdtemp(join(tmpdir(), "gateway-openssl-"));
    for (const flag of ["-tls1_2", "-tls1_3"]) {
      const session = join(folder, `session${flag}`);
      expect(await connect(openssl!, doors, flag, "-sess_out", session)).toContain("New, TLSv1.");
      const text = await connect(openssl!, doors, flag, "-sess_in", session);
      expect(text).toContain("Reused, TLSv1.");
      expect(text).toContain("HTTP/1.1 200 OK");
    }
    await rm(folder, { recursive: true, force: true });
  });

  testWith(["openssl"], "is shown the certificate of the name that it asks for", async ({ openssl }) => {
    const named = { Path: certificateFile("a.test.pem"), KeyPath: certificateFile("a.test.key") };
    await using doors = await openFrontDoors(destination, { Sni: { "a.test": { Certificate: named }, "*.a.test": { Certificate: named } } });
    for (const [name, subject] of [["a.test", "a.test"], ["x.a.test", "a.test"], ["other.test", "localhost"]] as const) {
      expect(await connect(openssl!, doors, "-servername", name)).toMatch(new RegExp(`subject=.*CN = ${subject}\n`));
    }
    expect(await connect(openssl!, doors, "-noservername")).toMatch(/subject=.*CN = localhost\n/);
  });

  testWith(["openssl"], "has to show a certificate that is vouched for, where one is required", async ({ openssl }) => {
    await using doors = await openFrontDoors(destination, {
      ClientCertificateMode: "RequireCertificate",
      ClientCertificateAuthorities: certificateFile("client.test.pem"),
    });
    const showing = (name: string): string[] => ["-cert", certificateFile(`${name}.pem`), "-key", certificateFile(`${name}.key`)];
    expect(await connect(openssl!, doors, ...showing("client.test"))).toContain("HTTP/1.1 200 OK");
    for (const args of [[], showing("a.test")]) {
      for (const version of ["-tls1_2", "-tls1_3"]) expect(await connect(openssl!, doors, version, ...args)).not.toContain("HTTP/1.1 200");
    }
  });
});
