import { createServer } from "node:net";
import type { TlsOptions } from "node:tls";
import { afterEach, describe, expect, it } from "vitest";
import { createEngineClient, DestinationTls, type DestinationTlsOptions, type HttpClient, TlsCertificateError } from "../../src/index.ts";
import { certificates } from "../tls/destinations/index.ts";
import { ManualBody, get, send } from "./recorder.ts";
import { TlsDestination } from "./tls-destination-server.ts";

const { authority: ca, clientAuthority, server: cert, other, expired, gateway, gatewayPfx, gatewayEncryptedKey } = certificates;

let destination: TlsDestination | undefined;
let client: HttpClient | undefined;

afterEach(async () => {
  client?.destroy();
  await destination?.stop();
  destination = undefined;
});

async function request(server: TlsOptions, tls: DestinationTlsOptions, body?: ManualBody) {
  destination = await TlsDestination.start(server);
  client = createEngineClient({ tls });
  const pool = client.destination({ scheme: "https", host: "localhost", port: destination.port });
  return send(pool, body === undefined ? get() : { ...get(), method: "POST", body }).done;
}

const wantsCertificate: TlsOptions = { ...cert, requestCert: true, rejectUnauthorized: true, ca: clientAuthority };

describe("a destination over TLS that cannot be used says why", () => {
  const cases: readonly (readonly [title: string, server: TlsOptions, tls: DestinationTlsOptions, fault: string, code: string])[] = [
    ["when nobody vouches for it", cert, {}, "no authority that is trusted vouches for its certificate", "UNABLE_TO_VERIFY_LEAF_SIGNATURE"],
    ["when its certificate is over", expired, { ca }, "its certificate has expired", "CERT_HAS_EXPIRED"],
    ["when it is another", other, { ca }, "its certificate is for another name", "ERR_TLS_CERT_ALTNAME_INVALID"],
    ["when a name is set that it has not", cert, { ca, serverName: "wrong.test" }, "its certificate is for another name", "ERR_TLS_CERT_ALTNAME_INVALID"],
    ["when it is newer", { ...cert, minVersion: "TLSv1.3" }, { ca, maxVersion: "TLSv1.2" }, "no TLS version is common", "ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION"],
    ["when it is older", { ...cert, maxVersion: "TLSv1.2" }, { ca, minVersion: "TLSv1.3" }, "no TLS version is common", "ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION"],
    ["when it speaks other protocols", { ...cert, ALPNProtocols: ["h2"] }, { ca }, "no HTTP version is common (ALPN)", "ERR_SSL_TLSV1_ALERT_NO_APPLICATION_PROTOCOL"],
    ["when it wants a client certificate (TLS 1.3)", wantsCertificate, { ca }, "it wants a client certificate", "ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED"],
    [
      "when it wants a client certificate (TLS 1.2)",
      { ...wantsCertificate, maxVersion: "TLSv1.2" },
      { ca },
      "it refuses the handshake: no cipher is common, or it wants a client certificate",
      "ERR_SSL_SSL/TLS_ALERT_HANDSHAKE_FAILURE",
    ],
    [
      "when it hangs up in the handshake",
      { SNICallback: (_name, done) => done(new Error("no such name")) },
      { ca },
      "it closed the connection during the TLS handshake",
      "ECONNRESET",
    ],
  ];
  it.each(cases)("%s", async (_title, server, tls, fault, code) => {
    const { error } = await request(server, tls);
    expect(error?.message).toBe(`destination https://localhost:${destination?.port}: ${fault}`);
    expect(error).toMatchObject({ step: "connect", source: "destination", requestSent: false, timedOut: false });
    expect(error?.cause).toMatchObject({ code });
  });

  it("when it does not speak TLS", async () => {
    const plain = createServer((socket) => {
      socket.on("error", () => undefined);
      socket.on("data", () => socket.end("HTTP/1.1 400 Bad Request\r\n\r\n"));
    });
    await new Promise<void>((resolve) => plain.listen(0, "127.0.0.1", resolve));
    client = createEngineClient();
    const { error } = await send(client.destination({ scheme: "https", host: "localhost", port: (plain.address() as { port: number }).port })).done;
    expect(error?.message).toMatch(/: it does not answer in TLS$/);
    await new Promise((resolve) => {
      plain.close(resolve);
    });
  });

  it("and a body that was on its way is not said to be unsent", async () => {
    const body = new ManualBody();
    body.onRead = () => body.sink?.onData(Buffer.from("part"));
    const { error } = await request(wantsCertificate, { ca }, body);
    expect(error).toMatchObject({ requestSent: true });
    expect(error?.step).not.toBe("connect");
    expect(error?.message).toMatch(/: it wants a client certificate$/);
  });
});

describe("a client shows its certificate", () => {
  it.each([
    ["PEM", gateway],
    ["PEM in one text", { cert: Buffer.concat([gateway.cert, gateway.key]) }],
    ["PEM with an encrypted key", { cert: gateway.cert, key: gatewayEncryptedKey, passphrase: "secret" }],
    ["PKCS #12", { pfx: gatewayPfx, passphrase: "secret" }],
  ] as const)("from %s", async (_form, own) => {
    const { outcome } = await request(wantsCertificate, { ca, ...own });
    expect(outcome).toBe("end");
    expect(destination?.clients).toEqual(["gateway"]);
  });

  it.each([
    ["a wrong passphrase", { pfx: gatewayPfx, passphrase: "guess" }, "the passphrase does not open the private key"],
    ["a key of another certificate", { cert: gateway.cert, key: cert.key }, "the private key does not belong to the certificate"],
    ["a missing passphrase", { cert: gateway.cert, key: gatewayEncryptedKey }, "the private key is encrypted, and no passphrase is given"],
    ["authorities without a certificate", { ca: "nothing" }, "there is no certificate of an authority in PEM"],
    ["authorities that are cut", { ca: `${ca.toString().slice(0, 120)}\n-----END CERTIFICATE-----\n` }, "a certificate of an authority cannot be read"],
  ] as const)("unless it cannot be used: %s", (_title, options, message) => {
    expect(() => new DestinationTls(options)).toThrow(new TlsCertificateError(message));
    expect(() => createEngineClient({ tls: options })).toThrow(TlsCertificateError);
  });
});

describe("TLS versions", () => {
  it.each([
    ["the highest by default", {}, {}, "TLSv1.3"],
    ["only those allowed", {}, { maxVersion: "TLSv1.2" }, "TLSv1.2"],
    ["none in a gap", { minVersion: "TLSv1" }, { minVersion: "TLSv1.1", maxVersion: "TLSv1.3", withoutVersions: ["TLSv1.2", "TLSv1.3"] }, "TLSv1.1"],
    ["old ones where they are asked for", { minVersion: "TLSv1" }, { minVersion: "TLSv1", maxVersion: "TLSv1" }, "TLSv1"],
  ] as const)("%s", async (_title, server, tls, version) => {
    const { outcome } = await request({ ...cert, ...server, ciphers: "DEFAULT:@SECLEVEL=0" }, { ca, ...tls });
    expect(outcome).toBe("end");
    expect(destination?.sockets[0]?.getProtocol()).toBe(version);
  });
});
