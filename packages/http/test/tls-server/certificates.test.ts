import { once } from "node:events";
import { readFileSync } from "node:fs";
import { connect, type ConnectionOptions, type TLSSocket } from "node:tls";
import { assert, property, string } from "fast-check";
import { afterEach, describe, expect, test } from "vitest";
import { createTlsServer, FrontTls, HeaderList, TlsCertificateError, type FrontServer, type FrontTlsOptions, type TlsCertificate } from "../../src/index.ts";
import { ServerNameTable } from "../../src/tls/server-name-table.ts";
import { RawClient } from "../contract/raw-client.ts";
import { until } from "../contract/recorders.ts";
import { localhost } from "./fixtures.ts";

const fixture = (name: string): Buffer => readFileSync(new URL(`../tls/${name}`, import.meta.url));
// Each signed by itself for its name and one label below, valid to 2126; the keys guard nothing but these tests.
const made = new Map<string, TlsCertificate & { readonly cert: string }>(
  ["a.test", "b.test", "client.test"].map((name) => [
    name,
    { cert: fixture(`${name}.pem`).toString("utf8"), key: fixture(`${name}.key`).toString("utf8") },
  ]),
);

/** A certificate for `name`, signed by itself. */
function certificateFor(name: string): TlsCertificate & { readonly cert: string } {
  return made.get(name) as TlsCertificate & { readonly cert: string };
}

const servers: FrontServer[] = [];
const sockets: TLSSocket[] = [];
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  for (const server of servers.splice(0)) await server.close(100);
});

async function serve(options: FrontTlsOptions): Promise<{ tls: FrontTls; port: number }> {
  const tls = new FrontTls(options);
  const server = createTlsServer({
    tls,
    timerInterval: 20,
    handler: (exchange) => exchange.response.send({ status: 200, headers: new HeaderList() }, JSON.stringify(exchange.connection.tls)),
  });
  servers.push(server);
  return { tls, port: (await server.listen({ host: "127.0.0.1", port: 0 })).port };
}

async function shake(port: number, servername: string | undefined, options: ConnectionOptions = {}): Promise<TLSSocket> {
  const socket = connect({ port, host: "127.0.0.1", rejectUnauthorized: false, ...(servername === undefined ? {} : { servername }), ...options });
  sockets.push(socket);
  await once(socket, "secureConnect");
  return socket;
}

const nameOn = (socket: TLSSocket): string => socket.getPeerX509Certificate()?.subject ?? "";

async function get(socket: TLSSocket, host: string): Promise<{ status: number; body: string }> {
  const client = RawClient.over(socket);
  client.write(`GET / HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
  const { status, body } = await client.readResponse();
  return { status, body: body.toString() };
}

describe("certificates", () => {
  test("are chosen by server name: exact, wildcard, then the default", async () => {
    const { port } = await serve({
      certificate: localhost,
      serverNames: [["A.test", certificateFor("a.test")], ["*.b.test", certificateFor("b.test")]],
    });
    expect(nameOn(await shake(port, "a.TEST"))).toBe("CN=a.test");
    expect(nameOn(await shake(port, "x.B.test"))).toBe("CN=b.test");
    expect(nameOn(await shake(port, "b.test"))).toBe("CN=localhost");
    expect(nameOn(await shake(port, undefined))).toBe("CN=localhost");
  });

  test("of no name and without a default refuse the handshake, and others are served on", async () => {
    const { port } = await serve({ serverNames: [["a.test", certificateFor("a.test")]] });
    await expect(shake(port, "b.test")).rejects.toBeInstanceOf(Error);
    await expect(shake(port, undefined)).rejects.toBeInstanceOf(Error);
    expect(nameOn(await shake(port, "a.test"))).toBe("CN=a.test");
  });

  test("are swapped for new handshakes while connections stay open", async () => {
    const { tls, port } = await serve({ certificate: certificateFor("a.test") });
    const before = await shake(port, "a.test");
    tls.update({ certificate: certificateFor("b.test") });
    expect(nameOn(await shake(port, "b.test"))).toBe("CN=b.test");
    expect(nameOn(await shake(port, undefined))).toBe("CN=b.test");
    expect((await get(before, "a.test")).status).toBe(200);
  });

  test("that cannot be used change nothing", async () => {
    const { tls, port } = await serve({ certificate: certificateFor("a.test") });
    expect(() => tls.update({ certificate: { cert: certificateFor("b.test").cert, key: localhost.key } })).toThrow(TlsCertificateError);
    expect(() => tls.update({ certificate: { cert: "no certificate" } })).toThrow(TlsCertificateError);
    expect(() => tls.update({ serverNames: [["bad name", localhost]] })).toThrow(TypeError);
    expect(nameOn(await shake(port, "a.test"))).toBe("CN=a.test");
  });

  test("with an encrypted key or in PKCS #12 open with the passphrase only", () => {
    const encrypted = fixture("a.test.encrypted.key").toString("utf8");
    const pfx = fixture("a.test.pfx");
    const pem = certificateFor("a.test").cert;
    expect(() => new FrontTls({ certificate: { cert: pem, key: encrypted, passphrase: "secret" } })).not.toThrow();
    expect(() => new FrontTls({ certificate: { pfx, passphrase: "secret" } })).not.toThrow();
    expect(() => new FrontTls({ certificate: { cert: pem, key: encrypted, passphrase: "wrong" } })).toThrow(TlsCertificateError);
    expect(() => new FrontTls({ certificate: { cert: pem, key: encrypted } })).toThrow(TlsCertificateError);
    expect(() => new FrontTls({ certificate: { pfx, passphrase: "wrong" } })).toThrow("passphrase");
  });

  test("that do not cover the host are answered with 421, also from PKCS #12", async () => {
    const pfx = fixture("b.test.pfx");
    const { port } = await serve({ certificate: localhost, serverNames: [["b.test", { pfx, passphrase: "" }]] });
    expect((await get(await shake(port, "localhost"), "LOCALHOST:8443")).status).toBe(200);
    expect((await get(await shake(port, "localhost"), "127.0.0.1")).status).toBe(200);
    expect((await get(await shake(port, "localhost"), "other.test")).status).toBe(421);
    expect((await get(await shake(port, "b.test"), "x.b.test")).status).toBe(200);
    expect((await get(await shake(port, "b.test"), "localhost")).status).toBe(421);
  });
});

describe("sessions", () => {
  test.each(["TLSv1.2", "TLSv1.3"] as const)("of %s are resumed, also after certificates were swapped", async (version) => {
    const { tls, port } = await serve({ certificate: certificateFor("a.test") });
    const options = { minVersion: version, maxVersion: version };
    const first = await shake(port, "a.test", options);
    const session = version === "TLSv1.3" ? ((await once(first, "session")) as [Buffer])[0] : (first.getSession() as Buffer);
    tls.update({ certificate: certificateFor("a.test") });
    expect((await shake(port, "a.test", { ...options, session })).isSessionReused()).toBe(true);
  });

  test("cannot be renegotiated", async () => {
    const { port } = await serve({ certificate: localhost });
    const socket = await shake(port, "localhost", { maxVersion: "TLSv1.2" });
    const error = await new Promise<Error | null>((resolve) => {
      socket.on("error", resolve);
      socket.renegotiate({ rejectUnauthorized: false }, resolve);
    });
    expect(error).toBeInstanceOf(Error);
  });

  test("that do not come to their end in time are ended", async () => {
    const tls = new FrontTls({ certificate: localhost, handshakeTimeout: 50 });
    const server = createTlsServer({ tls, handler: () => undefined });
    servers.push(server);
    const client = await RawClient.open((await server.listen({ host: "127.0.0.1", port: 0 })).port);
    client.write(Buffer.from("16030100c8", "hex"));
    await client.closed;
    await until(() => server.connectionCount === 0);
  });
});

describe("client certificates", () => {
  const client = (): ConnectionOptions => ({ cert: certificateFor("client.test").cert, key: certificateFor("client.test").key as string });

  test("are shown to the handler when they are vouched for", async () => {
    const { port } = await serve({ certificate: localhost, clientCertificates: "allow", clientAuthorities: certificateFor("client.test").cert });
    const shown = JSON.parse((await get(await shake(port, "localhost", client()), "localhost")).body) as Record<string, unknown>;
    expect(shown["clientCertificateAuthorized"]).toBe(true);
    const none = JSON.parse((await get(await shake(port, "localhost"), "localhost")).body) as Record<string, unknown>;
    expect([none["clientCertificateAuthorized"], none["clientCertificate"]]).toEqual([false, undefined]);
  });

  test.each(["allow", "require"] as const)("that nobody vouches for end the connection (%s)", async (clientCertificates) => {
    const { port } = await serve({ certificate: localhost, clientCertificates, clientAuthorities: certificateFor("a.test").cert });
    await expect(shake(port, "localhost", client()).then((socket) => get(socket, "localhost"))).rejects.toBeInstanceOf(Error);
  });

  test("that are required and missing end the connection", async () => {
    const { port } = await serve({ certificate: localhost, clientCertificates: "require", clientAuthorities: certificateFor("a.test").cert });
    await expect(shake(port, "localhost").then((socket) => get(socket, "localhost"))).rejects.toBeInstanceOf(Error);
  });
});

test("no server name makes the choice throw", () => {
  const table = new ServerNameTable([["a.test", 1], ["*.a.test", 2], ["*.b.a.test", 3]]);
  expect([table.find("A.TEST."), table.find("x.y.a.test"), table.find("x.b.a.test"), table.find("__proto__")]).toEqual([1, 2, 3, undefined]);
  assert(property(string({ unit: "binary" }), (name) => {
    table.find(name);
  }));
});
