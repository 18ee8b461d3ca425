import { copyFileSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createHash } from "node:crypto";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import type { ClientCertificateConfig } from "@proxy/config";
// @boundaries-ignore the doubles of the pipeline's own tests
import { FakeClock } from "../../../pipeline/test/support/fake-clock.ts";
// @boundaries-ignore the doubles of the pipeline's own tests
import { RecordedEvents } from "../../../pipeline/test/support/recorded-events.ts";
import { configOf, edgeProxy } from "../proxies.ts";
import { Authority, derOf, newRsaKey } from "./certificates.ts";
import { replaceFile } from "./changed-file.ts";

const trusted = "10.0.0.1";
const thumbprint = (path: string): string => createHash("sha256").update(derOf(path)).digest("hex");

let authority: Authority;
let stranger: Authority;
let ann: string;
let bob: string;

beforeAll(() => {
  authority = new Authority();
  stranger = new Authority();
  ann = authority.issue({ subject: "/C=DE/O=Example/CN=ann", extensions: ["extendedKeyUsage=clientAuth", "subjectAltName=DNS:Ann.example,email:ann@example,URI:spiffe://example/ann"] });
  bob = authority.issue({ subject: "/CN=Bob, the 2nd" });
}, 60_000);
afterAll(() => {
  authority.remove();
  stranger.remove();
});

const open: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const proxy of open.splice(0)) await proxy.close();
});

async function guarded(clientCertificate: ClientCertificateConfig) {
  const clock = new FakeClock();
  const events = new RecordedEvents();
  const headers = { "X-User": "@name", "X-Cn": "cn", "X-Mail": "email", "X-Uri": "uri", "X-Dns": "dns" };
  const { send, clients, proxy } = await edgeProxy(
    configOf({ authentication: { certs: { clientCertificate } }, authorization: { p: { forward: { headers } } } }, { authorizationPolicy: "p" }),
    { clock, trustedProxies: [trusted], logger: events },
  );
  open.push(proxy);
  const tls = (der: Uint8Array | undefined, isAuthorized: boolean) => ({
    serverName: undefined, alpnProtocol: undefined, protocol: "TLSv1.3", cipher: undefined, clientCertificate: der, clientCertificateAuthorized: isAuthorized,
  });
  return {
    clock,
    events,
    clients,
    /** Shows a certificate on the connection. */
    async shows(path: string | undefined, isAuthorized = false) {
      const { response } = await send({ connection: { tls: tls(path === undefined ? undefined : derOf(path), isAuthorized) } });
      return response.status;
    },
    /** A proxy shows one in a field. */
    async field(value: string | readonly string[], from = trusted, name = "X-Client-Cert") {
      const { response } = await send({ remoteAddress: from, headers: [value].flat().map((each) => [name, each] as const) });
      return response.status;
    },
    seen: () => clients[0]?.calls.at(-1)?.request.headers,
  };
}

describe("the certificate of a connection", () => {
  it("that one of the authorities issued says who it is", async () => {
    const { shows, seen } = await guarded({ authorities: authority.file });
    expect(await shows(ann)).toBe(200);
    const headers = seen();
    expect(["x-user", "x-cn", "x-mail", "x-uri", "x-dns"].map((name) => headers?.get(name))).toEqual(["CN=ann%2CO=Example%2CC=DE", "ann", "ann@example", "spiffe://example/ann", "ann.example"]);
  });

  it("that nobody vouches for is refused, also with the name of an authority", async () => {
    const forged = stranger.issue({ subject: "/C=DE/O=Example/CN=ann" });
    const { shows } = await guarded({ authorities: authority.file });
    expect([await shows(forged, true), await shows(authority.file, true), await shows(undefined)]).toEqual([403, 403, 403]);
  });

  it("is as good as the endpoint found it where no authorities are named", async () => {
    const { shows } = await guarded({});
    expect([await shows(ann, true), await shows(ann, false)]).toEqual([200, 403]);
  });

  it("is valid now, and for clients", async () => {
    const { shows, clock } = await guarded({ authorities: authority.file });
    const cases = [
      authority.issue({ subject: "/CN=old", until: "20251231000000Z" }),
      authority.issue({ subject: "/CN=new", from: "20260601000000Z" }),
      authority.issue({ subject: "/CN=server", extensions: ["extendedKeyUsage=serverAuth"] }),
      authority.issue({ subject: "/CN=odd", extensions: ["1.2.3.4=critical,ASN1:UTF8String:odd"] }),
      authority.issue({ subject: "/CN=weak", digest: "sha1" }),
    ];
    for (const path of cases) expect(await shows(path, true)).toBe(403);
    expect(await shows(ann)).toBe(200);
    clock.set(Date.parse("2027-01-01T00:00:00Z") - clock.epoch);
    expect(await shows(ann)).toBe(403);
  });

  it("is signed by way of a good digest, by RSA-PSS, too", async () => {
    const rsa = new Authority("/O=Example/CN=RSA authority", newRsaKey);
    try {
      const { shows } = await guarded({ authorities: rsa.file });
      const signed = (digest: string, pss: boolean): Promise<number | undefined> => shows(rsa.issue({ subject: "/CN=ann", digest, pss }), true);
      expect([await signed("sha256", false), await signed("sha256", true), await signed("sha512", true)]).toEqual([200, 200, 200]);
      expect([await signed("sha1", false), await signed("sha1", true)]).toEqual([403, 403]);
    } finally {
      rsa.remove();
    }
  });

  it("is one of those that are named", async () => {
    const passes = async (rules: ClientCertificateConfig): Promise<(number | undefined)[]> => {
      const { shows } = await guarded({ authorities: authority.file, ...rules });
      return [await shows(ann), await shows(bob)];
    };
    expect(await passes({ thumbprints: [thumbprint(ann).toUpperCase().replaceAll(/(..)(?!$)/g, "$1:")] })).toEqual([200, 403]);
    expect(await passes({ subjects: ["CN=ann"] })).toEqual([200, 403]);
    expect(await passes({ subjects: ["CN=ann, O=Example, C=DE"] })).toEqual([200, 403]);
    expect(await passes({ subjects: ["O=Example", "CN=an"] })).toEqual([403, 403]);
    expect(await passes({ subjects: [String.raw`CN=Bob\, the 2nd`] })).toEqual([403, 200]);
    expect(await passes({ alternativeNames: ["DNS:ANN.example"] })).toEqual([200, 403]);
    expect(await passes({ alternativeNames: ["URI:spiffe://example/ann", "email:x"] })).toEqual([200, 403]);
    expect(await passes({ alternativeNames: ["URI:spiffe://example/", "email:ann@EXAMPLE"] })).toEqual([403, 403]);
  });

  it("may be pinned without anybody vouching for it", async () => {
    const { shows } = await guarded({ thumbprints: [thumbprint(ann)] });
    expect([await shows(ann, false), await shows(bob, true)]).toEqual([200, 403]);
  });
});

describe("a certificate that was taken back", () => {
  it("is refused by the list of its authority, read again when it changes", async () => {
    const eve = authority.issue({ subject: "/CN=eve" });
    const list = join(authority.folder, "current.crl");
    authority.writeList(list);
    const { shows, events } = await guarded({ authorities: authority.file, revocationLists: [list] });
    expect([await shows(eve), await shows(ann)]).toEqual([200, 200]);
    authority.revoke(eve);
    const next = join(authority.folder, "next.crl");
    authority.writeList(next, "20270101000000Z", "DER");
    await replaceFile(list, readFileSync(next), () => events.named("revocation-lists-read").length > 1);
    expect([await shows(eve), await shows(ann)]).toEqual([403, 200]);
    await replaceFile(list, "nothing", () => events.named("revocation-lists-unusable").length > 0);
    expect([await shows(eve), await shows(ann)]).toEqual([403, 200]);
  }, 60_000);

  it("cannot be told from others once the list has run out: 503", async () => {
    const list = join(authority.folder, "short.crl");
    authority.writeList(list, "20260102000000Z");
    const { shows, clock } = await guarded({ authorities: authority.file, revocationLists: [list] });
    expect(await shows(ann)).toBe(200);
    clock.set(86_400_000);
    expect(await shows(ann)).toBe(503);
  });

  it("is not taken back by somebody else's list", async () => {
    const list = join(stranger.folder, "other.crl");
    stranger.writeList(list);
    const { shows, events } = await guarded({ authorities: authority.file, revocationLists: [list] });
    expect(await shows(ann)).toBe(503);
    expect(events.named("revocation-lists-unusable").length).toBe(1);
  });
});

describe("a certificate in a field", () => {
  const der = (path: string): string => derOf(path).toString("base64");
  const escaped = (path: string): string => encodeURIComponent(readFileSync(path, "utf8"));

  it("counts from a trusted proxy alone, in the form that is named", async () => {
    const config = { authorities: authority.file, header: "X-Client-Cert" };
    const plain = await guarded(config);
    expect([await plain.field(der(ann)), await plain.field(der(ann), "192.0.2.7"), await plain.field(`:${der(ann)}:`)]).toEqual([200, 403, 403]);
    const rfc = await guarded({ ...config, headerFormat: "ClientCert" });
    expect([await rfc.field(`:${der(ann)}:`), await rfc.field(der(ann))]).toEqual([200, 403]);
    const nginx = await guarded({ ...config, headerFormat: "UrlEncodedPem" });
    expect([await nginx.field(escaped(ann)), await nginx.field(escaped(ann) + escaped(ann)), await nginx.field("%zz")]).toEqual([200, 403, 403]);
    const envoy = await guarded({ ...config, headerFormat: "Xfcc" });
    expect(await envoy.field(`By=spiffe://x/y;Hash=ab;Cert="${escaped(ann)}";Subject="CN=a,b";URI=`)).toBe(200);
  });

  it("of Envoy is what the nearest proxy said", async () => {
    const { field } = await guarded({ authorities: authority.file, header: "X-Client-Cert", headerFormat: "Xfcc" });
    const other = escaped(stranger.issue({ subject: "/CN=ann" }));
    expect(await field(`Cert="${escaped(ann)}",By=x;Cert="${other}"`)).toBe(403);
    expect(await field(`Cert="${other}",By=x;Cert="${escaped(ann)}"`)).toBe(200);
    expect(await field(`By=x;Subject="open,Cert="${escaped(ann)}"`)).toBe(403);
    expect(await field(`Cert="${escaped(ann)}";Cert="${escaped(ann)}"`)).toBe(403);
  });

  it("of Envoy is read in one go, whatever blanks it holds", async () => {
    const { field } = await guarded({ authorities: authority.file, header: "X-Client-Cert", headerFormat: "Xfcc" });
    expect(await field(`Cert=${" ".repeat(20_000)}""x`)).toBe(403);
    expect(await field(`By=x; Cert = "${escaped(ann)}" ;Hash=ab`)).toBe(200);
  });

  it("that stands twice, or is none, is refused", async () => {
    const { field } = await guarded({ authorities: authority.file, header: "X-Client-Cert" });
    for (const value of [[der(ann), der(ann)], "", "AAAA", `${der(ann)}!`, "=".repeat(4), der(ann).slice(4)]) expect(await field(value)).toBe(403);
  });

  it("takes the place of the connection's own, which is the proxy's", async () => {
    const { field, shows } = await guarded({ authorities: authority.file, header: "X-Client-Cert" });
    expect([await shows(ann), await field([])]).toEqual([200, 403]);
  });

  it("is never forwarded, whoever sent it", async () => {
    const { field, clients, seen } = await guarded({ authorities: authority.file, header: "X-Client-Cert" });
    await field(der(ann));
    expect([clients[0]?.calls.length, seen()?.has("x-client-cert"), seen()?.get("x-cn")]).toEqual([1, false, "ann"]);
  });
});

describe("files of certificates", () => {
  it("are read again when they change: an authority that comes vouches, one that goes does not", async () => {
    const file = join(authority.folder, "current.pem");
    copyFileSync(authority.file, file);
    const { shows, events } = await guarded({ authorities: file });
    const other = stranger.issue({ subject: "/CN=other" });
    expect([await shows(ann), await shows(other)]).toEqual([200, 403]);
    await replaceFile(file, readFileSync(stranger.file), () => events.named("authorities-read").length > 0);
    expect([await shows(ann), await shows(other)]).toEqual([403, 200]);
    await replaceFile(file, "nothing", () => events.named("authorities-unusable").length > 0);
    expect([await shows(ann), await shows(other)]).toEqual([403, 200]);
  }, 90_000);

  it("that cannot be used are errors at load, each with its place", async () => {
    const text = join(authority.folder, "text.pem");
    writeFileSync(text, "nothing");
    copyFileSync(ann, join(authority.folder, "leaf.pem"));
    const failed = guarded({ authorities: join(authority.folder, "leaf.pem"), revocationLists: [text, join(authority.folder, "none.crl")], subjects: ["CN=a", "=b"] });
    const { issues } = (await failed.catch((error: unknown) => error)) as { issues: { path: (string | number)[] }[] };
    expect(issues.map(({ path }) => path.slice(4).join("."))).toEqual(["Subjects.1", "Authorities", "RevocationLists.0", "RevocationLists.1"]);
    await expect(guarded({ revocationLists: [text] })).rejects.toThrow("RevocationLists need Authorities");
  });
});
