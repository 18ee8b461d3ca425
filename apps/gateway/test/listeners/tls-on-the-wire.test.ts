import { once } from "node:events";
import { copyFile, mkdir, rename, symlink } from "node:fs/promises";
import { connect as connectHttp2 } from "node:http2";
import { connect } from "node:tls";
import type { TLSSocket } from "node:tls";
import { X509Certificate } from "node:crypto";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { createDevelopmentCertificate } from "../../src/dev-cert/development-certificate.ts";
import { configFolder, oneRoute } from "../support/config-file.ts";
import type { ConfigFolder } from "../support/config-file.ts";
import { plainAnswer, startRawOrigin } from "../support/raw-origin.ts";
import type { RawOrigin } from "../support/raw-origin.ts";
import { startGateway } from "../support/running-gateway.ts";
import { certificateFile, certificateText, getOver, isServed, nameShown, shake } from "../support/tls-client.ts";

let folder: ConfigFolder;
let origin: RawOrigin;
const open: TLSSocket[] = [];
beforeEach(async () => {
  folder = await configFolder();
  origin = await startRawOrigin("origin", (request) => plainAnswer(/\r\nx-client-cert: (.*)\r\n/i.exec(request)?.[1] ?? "none"));
});
afterEach(async () => {
  for (const socket of open.splice(0)) socket.destroy();
  await origin.close();
  await folder[Symbol.asyncDispose]();
});

const localhost = { Path: certificateFile("cert.pem"), KeyPath: certificateFile("key.pem") };
const a = { Path: certificateFile("a.test.pem"), KeyPath: certificateFile("a.test.key") };
const b = { Path: certificateFile("b.test.pem"), KeyPath: certificateFile("b.test.key") };
const client = { cert: certificateText("client.test.pem"), key: certificateText("client.test.key") };

async function start(endpoint: Record<string, unknown>, config: Record<string, unknown> = oneRoute(origin.url)) {
  const Endpoints = { Secure: { Url: "https://127.0.0.1:0", Certificate: localhost, ...endpoint } };
  return startGateway([await folder.write("gateway.json", { ...config, Server: { Endpoints } })], { urls: "", logLevel: "Debug" });
}

async function shaken(...args: Parameters<typeof shake>): Promise<TLSSocket> {
  const socket = await shake(...args);
  open.push(socket);
  return socket;
}

describe("Protocols", () => {
  test.each([
    ["Http1", ["h2", "http/1.1"], "http/1.1"],
    ["Http2", ["http/1.1", "h2"], "h2"],
    ["Http1AndHttp2", ["http/1.1", "h2"], "h2"],
    ["Http1AndHttp2", ["http/1.1"], "http/1.1"],
    ["Http1", ["h2"], "refused"],
    ["Http2", ["http/1.1"], "refused"],
  ])("%s: of the offer %j it takes %s", async (Protocols, ALPNProtocols, expected) => {
    await using gateway = await start({ Protocols });
    const agreed = await shaken(gateway.port, "localhost", { ALPNProtocols }).then(
      ({ alpnProtocol }) => alpnProtocol,
      () => "refused",
    );
    expect(agreed).toBe(expected);
  });

  test("without ALPN a client is served in HTTP/1.1 where that is spoken, and not elsewhere", async () => {
    await using both = await start({});
    expect(await isServed(both.port, "localhost")).toBe(true);
    await using http2 = await start({ Protocols: "Http2" });
    expect(await isServed(http2.port, "localhost")).toBe(false);
  });
});

describe("SslProtocols", () => {
  const versions = ["TLSv1.2", "TLSv1.3"] as const;
  test.each([
    [undefined, [true, true]],
    [["None"], [true, true]],
    ["Tls12", [true, false]],
    [["Tls13"], [false, true]],
    ["Tls12, Tls13", [true, true]],
    [["Tls11", "Tls13"], [false, true]],
  ])("%j", async (SslProtocols, expected) => {
    await using gateway = await start(SslProtocols === undefined ? {} : { SslProtocols });
    const served = versions.map((version) => isServed(gateway.port, "localhost", { minVersion: version, maxVersion: version }));
    expect(await Promise.all(served)).toEqual(expected);
  });

  test("Tls11 is spoken only where it is asked for", async () => {
    const old = { minVersion: "TLSv1.1", maxVersion: "TLSv1.1", ciphers: "DEFAULT:@SECLEVEL=0" } as const;
    await using modern = await start({});
    expect(await isServed(modern.port, "localhost", old)).toBe(false);
    await using lenient = await start({ SslProtocols: ["Tls11", "Tls12"] });
    expect(await isServed(lenient.port, "localhost", old)).toBe(true);
  });

  test("that leave nothing keep the gateway from starting", async () => {
    await expect(start({ SslProtocols: ["Ssl3"] })).rejects.toThrow("SslProtocols names no version that can be spoken");
  });
});

test("EndpointDefaults hold where an endpoint says nothing, and for Urls", async () => {
  const EndpointDefaults = { Protocols: "Http1", SslProtocols: "Tls13", ClientCertificateMode: "RequireCertificate" };
  const Endpoints = {
    plain: { Url: "https://127.0.0.1:0", ClientCertificateMode: "NoCertificate" },
    special: { Url: "https://127.0.0.1:0", Protocols: "Http2", SslProtocols: "Tls12", ClientCertificateMode: "NoCertificate" },
  };
  const Kestrel = { EndpointDefaults, Endpoints, Certificates: { Default: localhost } };
  const file = await folder.write("gateway.json", oneRoute(origin.url, { Urls: "https://127.0.0.1:0", Kestrel }));
  await using gateway = await startGateway([file], { urls: "" });
  const [urls, plain, special] = gateway.urls.map((url) => Number(new URL(url).port)) as [number, number, number];
  const both = { ALPNProtocols: ["h2", "http/1.1"] };
  const factsOf = async (port: number) => {
    const socket = await shaken(port, "localhost", both);
    return [socket.alpnProtocol, socket.getProtocol()];
  };
  expect(await factsOf(plain)).toEqual(["http/1.1", "TLSv1.3"]);
  expect(await factsOf(special)).toEqual(["h2", "TLSv1.2"]);
  expect(await isServed(plain, "localhost")).toBe(true);
  expect(await isServed(urls, "localhost")).toBe(false);
});

describe("certificates", () => {
  test("come from PEM, from PKCS #12 and with encrypted keys, by server name, its wildcards, and the default", async () => {
    const pfx = { Path: certificateFile("b.test.pfx"), Password: "" };
    const encrypted = { ...a, KeyPath: certificateFile("a.test.encrypted.key"), Password: "secret" };
    await using gateway = await start({ Sni: { "A.test": { Certificate: encrypted }, "*.a.test": { Certificate: b }, "b.test": { Certificate: pfx } } });
    const shown = async (name?: string): Promise<string> => nameShown(await shaken(gateway.port, name));
    expect(await shown("a.TEST")).toBe("a.test");
    expect(await shown("x.a.test")).toBe("b.test");
    expect(await shown("b.test")).toBe("b.test");
    expect(await shown("other.test")).toBe("localhost");
    expect(await shown()).toBe("localhost");
  });

  test("for * take the place of the endpoint's own", async () => {
    await using gateway = await start({ Certificate: b, Sni: { "*": { Certificate: a } } });
    expect(nameShown(await shaken(gateway.port, "other.test"))).toBe("a.test");
    expect(nameShown(await shaken(gateway.port, undefined))).toBe("a.test");
  });

  test("of Certificates:Default serve endpoints without one, also those of Urls", async () => {
    const Server = { Certificates: { default: a } };
    const file = await folder.write("gateway.json", oneRoute(origin.url, { Urls: "https://127.0.0.1:0", Server }));
    await using gateway = await startGateway([file], { urls: "" });
    expect(nameShown(await shaken(gateway.port, "a.test"))).toBe("a.test");
  });

  test.each([
    ["a wrong password", { Certificate: { ...a, KeyPath: certificateFile("a.test.encrypted.key"), Password: "wr0ng-password" } }, "passphrase"],
    ["no password", { Certificate: { ...a, KeyPath: certificateFile("a.test.encrypted.key") } }, "passphrase"],
    ["a wrong password of PKCS #12", { Certificate: { Path: certificateFile("a.test.pfx"), Password: "wr0ng-password" } }, "passphrase"],
    ["the key of another", { Certificate: { ...a, KeyPath: b.KeyPath } }, "does not belong"],
    ["no file", { Certificate: { Path: "missing.pem" } }, "missing.pem cannot be read (ENOENT)"],
    ["a name that is none", { Sni: { "a*.test": { Certificate: a } } }, "is no server name"],
    ["authorities without a certificate", { ClientCertificateAuthorities: certificateFile("key.pem") }, "no certificate of an authority"],
  ])("with %s keep the gateway from starting, and secrets stay out of the message", async (_name, endpoint, reason) => {
    const failure = (await start(endpoint).catch((error: unknown) => error)) as Error;
    expect(failure.message).toContain("endpoint 'Secure'");
    expect(failure.message).toContain(reason);
    expect(failure.message).not.toContain("wr0ng-password");
  });

  test.each(["TLSv1.2", "TLSv1.3"] as const)("let sessions of %s be resumed", async (version) => {
    await using gateway = await start({ Certificate: a });
    const options = { minVersion: version, maxVersion: version };
    const first = await shaken(gateway.port, "a.test", options);
    const session = version === "TLSv1.3" ? ((await once(first, "session")) as [Buffer])[0] : (first.getSession() as Buffer);
    const second = await shaken(gateway.port, "a.test", { ...options, session });
    expect(second.isSessionReused()).toBe(true);
    expect((await getOver(second, "a.test")).status).toBe(200);
  });
});

describe("a host that the certificate does not cover", () => {
  test("is answered with 421 in HTTP/1.1 and the connection goes on; nothing reaches a destination", async () => {
    await using gateway = await start({ Certificate: a });
    const socket = await shaken(gateway.port, "a.test");
    expect((await getOver(socket, "b.test")).status).toBe(421);
    expect(origin.requests).toEqual([]);
    expect((await getOver(socket, "x.a.test:8443")).status).toBe(200);
  });

  test("is answered with 421 in HTTP/2, and other requests of the connection are served", async () => {
    await using gateway = await start({ Certificate: a });
    const socket = await shaken(gateway.port, "a.test", { ALPNProtocols: ["h2"] });
    const session = connectHttp2("https://a.test", { createConnection: () => socket });
    const statusFor = async (authority: string): Promise<number | undefined> => {
      const [headers] = (await once(session.request({ ":path": "/", ":authority": authority }), "response")) as [{ ":status"?: number }];
      return headers[":status"];
    };
    expect(await statusFor("b.test")).toBe(421);
    expect(await statusFor("a.test")).toBe(200);
    session.destroy();
  });
});

describe("client certificates", () => {
  const ClientCertificateAuthorities = certificateFile("client.test.pem");
  const withCert = oneRouteWithCertificate;

  test("that are vouched for reach the destination by the transform ClientCert, and nothing that a client made up does", async () => {
    await using gateway = await start({ ClientCertificateMode: "AllowCertificate", ClientCertificateAuthorities }, withCert(origin.url));
    const forged = "X-Client-Cert: Zm9yZ2Vk\r\n";
    const der = new X509Certificate(client.cert).raw.toString("base64");
    const known = await shaken(gateway.port, "localhost", client);
    expect(await getOver(known, "localhost", forged)).toEqual({ status: 200, body: der });
    expect(await getOver(known, "localhost")).toEqual({ status: 200, body: der });
    const anonymous = await shaken(gateway.port, "localhost");
    expect(await getOver(anonymous, "localhost", forged)).toEqual({ status: 200, body: "none" });
  });

  test.each([
    ["NoCertificate", undefined, { none: true, known: true, unknown: true }],
    ["AllowCertificate", ClientCertificateAuthorities, { none: true, known: true, unknown: false }],
    ["RequireCertificate", ClientCertificateAuthorities, { none: false, known: true, unknown: false }],
  ] as const)("%s: who is served", async (ClientCertificateMode, authorities, expected) => {
    await using gateway = await start({
      ClientCertificateMode,
      ...(authorities === undefined ? {} : { ClientCertificateAuthorities: authorities }),
    });
    const stranger = { cert: certificateText("a.test.pem"), key: certificateText("a.test.key") };
    const served = {
      none: await isServed(gateway.port, "localhost"),
      known: await isServed(gateway.port, "localhost", client),
      unknown: await isServed(gateway.port, "localhost", stranger),
    };
    expect(served).toEqual(expected);
  });

  test("are not asked for, and not forwarded, with NoCertificate", async () => {
    await using gateway = await start({}, withCert(origin.url));
    expect((await getOver(await shaken(gateway.port, "localhost", client), "localhost")).body).toBe("none");
  });
});

function oneRouteWithCertificate(address: string): Record<string, unknown> {
  const Transforms = [{ ClientCert: "X-Client-Cert" }];
  return {
    ReverseProxy: {
      Routes: { all: { ClusterId: "c", Match: { Path: "{**rest}" }, Transforms } },
      Clusters: { c: { Destinations: { d: { Address: address } } } },
    },
  };
}

describe("the files of certificates", () => {
  test("are read again when they change: new handshakes get the new one, connections go on, and a broken one changes nothing", async () => {
    const Certificate = { Path: "served.pem", KeyPath: "served.key" };
    const put = async (name: string): Promise<void> => {
      await copyFile(certificateFile(`${name}.pem`), `${folder.path}/served.pem`);
      await copyFile(certificateFile(`${name}.key`), `${folder.path}/served.key`);
    };
    await put("a.test");
    await using gateway = await start({ Certificate });
    const before = await shaken(gateway.port, "a.test");
    expect(nameShown(before)).toBe("a.test");
    await put("b.test");
    await gateway.logged(({ message }) => message === "the certificates were read again");
    expect(nameShown(await shaken(gateway.port, "b.test"))).toBe("b.test");
    expect(nameShown(await shaken(gateway.port, undefined))).toBe("b.test");
    expect((await getOver(before, "a.test")).status).toBe(200);
    await folder.write("served.pem", "-----BEGIN CERTIFICATE-----\nbroken\n-----END CERTIFICATE-----\n");
    const complaint = await gateway.logged(({ message }) => String(message).includes("cannot be used, the old ones stay"));
    expect(complaint["level"]).toBe("error");
    expect(nameShown(await shaken(gateway.port, "b.test"))).toBe("b.test");
    expect((await getOver(before, "a.test")).status).toBe(200);
  });
});

test("a mounted secret that is swapped as a whole is seen", async () => {
  // As Kubernetes does: `..data` is a link to a folder, and another link is renamed over it.
  const link = async (name: string): Promise<void> => {
    await mkdir(`${folder.path}/..${name}`);
    await copyFile(certificateFile(`${name}.pem`), `${folder.path}/..${name}/tls.crt`);
    await copyFile(certificateFile(`${name}.key`), `${folder.path}/..${name}/tls.key`);
    await symlink(`..${name}`, `${folder.path}/..data_tmp`);
    await rename(`${folder.path}/..data_tmp`, `${folder.path}/..data`);
  };
  await link("a.test");
  for (const name of ["tls.crt", "tls.key"]) await symlink(`..data/${name}`, `${folder.path}/${name}`);
  await using gateway = await start({ Certificate: { Path: "tls.crt", KeyPath: "tls.key" } });
  const session = connectHttp2("https://a.test", {
    createConnection: () => connect({ port: gateway.port, host: "127.0.0.1", servername: "a.test", rejectUnauthorized: false, ALPNProtocols: ["h2"] }),
  });
  const statusOf = async (): Promise<unknown> => ((await once(session.request({ ":path": "/" }), "response")) as [Record<string, unknown>])[0][":status"];
  expect(await statusOf()).toBe(200);
  await link("b.test");
  await gateway.logged(({ message }) => message === "the certificates were read again");
  expect(nameShown(await shaken(gateway.port, "b.test"))).toBe("b.test");
  expect(await statusOf()).toBe(200);
  expect(gateway.log.filter(({ level }) => level === "error")).toEqual([]);
  session.destroy();
});

test.each([
  ["soon", 13, 0, "a certificate expires soon"],
  ["already", 1, 2, "a certificate has expired"],
  ["not soon", 30, 0, undefined],
] as const)("a certificate that expires %s", async (_name, days, daysAgo, message) => {
  const now = new Date(Date.now() - daysAgo * 86_400_000);
  const made = await createDevelopmentCertificate({ names: ["localhost"], days, now });
  await folder.write("short.pem", made.certificate + made.key);
  await using gateway = await start({ Certificate: { Path: "short.pem" } });
  const told = gateway.log.filter((entry) => String(entry["message"]).startsWith("a certificate "));
  const file = `${folder.path}/short.pem`;
  expect(told).toEqual(message === undefined ? [] : [expect.objectContaining({ message, level: "warn", file, expires: expect.any(String) as string })]);
});
