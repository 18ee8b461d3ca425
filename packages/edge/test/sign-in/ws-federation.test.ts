import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { CookieSessionConfig, WsFederationConfig } from "@proxy/config";
import { RemoteScheme } from "../../src/sign-in/remote-scheme.ts";
import { WsFederationProtocol } from "../../src/sign-in/ws-federation/ws-federation.ts";
import { publicOrigin, TestBrowser } from "./browser.ts";
import { assertionOf, callback, enveloped, exclusive, issuer, makeSigningKey, metadataOf, realm, responseOf, signed, type SigningKey, type TokenOptions } from "./federation-tokens.ts";
import { siteWith, type TestSite } from "./schemes.ts";

const endpoint = "https://sts.test/ls/";
let folder: string;
let key: SigningKey;
let other: SigningKey;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "edge-federation-"));
  [key, other] = [await makeSigningKey(), await makeSigningKey()];
  writeFileSync(join(folder, "sts.pem"), key.certificate);
});
afterAll(() => rmSync(folder, { recursive: true }));

function site(config: Partial<WsFederationConfig> = {}, { fetch: ask, cookie }: { readonly fetch?: () => Promise<Response>; readonly cookie?: CookieSessionConfig } = {}): TestSite {
  const own = config.metadataAddress === undefined ? { passiveEndpoint: endpoint, issuer, certificates: join(folder, "sts.pem") } : {};
  return siteWith((services) => {
    const all: WsFederationConfig = { realm, publicOrigin, ...own, ...config };
    const asking = ask === undefined ? services : { ...services, fetch: ask as typeof fetch };
    return new RemoteScheme("sts", all, { protocol: new WsFederationProtocol("sts", all, asking), services });
  }, cookie);
}

/** Begins a sign-in, and answers it with `response`. */
async function answered({ browser, log }: TestSite, response: string, more: Readonly<Record<string, string>> = {}) {
  const mine = browser();
  const { url } = await mine.openUntil("/orders", (to) => to.href.startsWith(endpoint));
  const wctx = new URL(url).searchParams.get("wctx") ?? "";
  const page = await mine.ask(new URL(callback), { method: "POST", form: { wa: "wsignin1.0", wresult: response, wctx, ...more }, headers: { Origin: "https://sts.test" } });
  const error = log.named("sign-in-failed").at(-1)?.fields["error"];
  return { mine, page, reason: error instanceof Error ? error.message : undefined };
}

const token = (options: TokenOptions = {}, by = key): string => signed(assertionOf(options), by);

describe("sign-in with WS-Federation", () => {
  it("sends browsers there, with whom the token is to be for", async () => {
    const { url } = await site().browser().openUntil("/", (to) => to.href.startsWith(endpoint));
    expect(Object.fromEntries(new URL(url).searchParams)).toMatchObject({ wa: "wsignin1.0", wtrealm: realm, wreply: callback, wctx: expect.stringMatching(/^[\w-]{43}$/) });
  });

  it("takes tokens of SAML 1.1 and 2.0, in responses of either WS-Trust", async () => {
    for (const version of ["1.1", "2.0"] as const) {
      for (const form of [{}, { trust: "http://docs.oasis-open.org/ws-sx/ws-trust/200512", collection: true }]) {
        const { mine, page } = await answered(site(), responseOf(token({ version, user: "alice & <bob>" }), form));
        expect([page.status, page.header("location")]).toEqual([302, "/orders"]);
        expect(JSON.parse((await mine.open("/orders")).text)).toMatchObject({ scheme: "sts", name: "alice & <bob>", claims: { "http://claims.test/role": ["staff", "dev"] } });
      }
    }
  });

  it("takes the token of a person in a thousand groups", async () => {
    const groups = Array.from({ length: 1100 }, (_, index) => `group-${index}`);
    const config = { mapClaims: { last: "http://claims.test/last" }, keepClaims: [] };
    const claims = { "http://claims.test/role": groups, "http://claims.test/last": ["group-1099"] };
    const { mine, page } = await answered(site(config), responseOf(token({ claims })));
    expect(page.status).toBe(302);
    expect(JSON.parse((await mine.open("/")).text)).toMatchObject({ claims: { last: ["group-1099"] } });
  });

  it("names claims as the configuration does", async () => {
    const config = { mapClaims: { role: "http://claims.test/role", mail: "http://claims.test/mail" }, keepClaims: [], nameClaim: "mail" };
    const { mine } = await answered(site(config), responseOf(token({ claims: { "http://claims.test/role": ["a"], "http://claims.test/mail": ["a@example.test"] } })));
    expect(JSON.parse((await mine.open("/")).text)).toMatchObject({ name: "a@example.test", claims: { role: ["a"], mail: ["a@example.test"] } });
  });

  it("reads address, issuer and keys from metadata, and again when the keys change", async () => {
    let keys = [key];
    let asked = 0;
    const metadata = async (): Promise<Response> => {
      asked++;
      return new Response(metadataOf(keys, endpoint));
    };
    const all = site({ metadataAddress: "https://sts.test/metadata.xml" }, { fetch: metadata });
    expect((await answered(all, responseOf(token()))).page.status).toBe(302);
    keys = [other];
    expect((await answered(all, responseOf(token({}, other)))).page.status).toBe(400);
    expect(asked).toBe(1);
    all.clock.ahead = 60_001;
    const later = { from: new Date(Date.now() + 50_000), until: new Date(Date.now() + 400_000) };
    expect((await answered(all, responseOf(token(later, other)))).page.status).toBe(302);
    expect((await answered(all, responseOf(token(later)))).page.status).toBe(400);
    expect(asked).toBe(2);
  });

  it("takes those keys of the metadata alone that are named", async () => {
    const fetch = async (): Promise<Response> => new Response(metadataOf([key, other], endpoint));
    const all = site({ metadataAddress: "https://sts.test/metadata.xml", thumbprints: [other.thumbprint.toUpperCase().replace(/..(?=.)/g, "$&:")] }, { fetch });
    expect((await answered(all, responseOf(token({}, other)))).page.status).toBe(302);
    expect((await answered(all, responseOf(token()))).page.status).toBe(400);
  });

  it("is 503 while the metadata cannot be read", async () => {
    for (const fetch of [async () => Response.error(), async () => new Response("", { status: 500 }), async () => new Response("<no/>"), async () => new Response("no"), () => Promise.reject(new TypeError("fetch failed"))]) {
      expect((await site({ metadataAddress: "https://sts.test/metadata.xml" }, { fetch }).browser().open("/")).status).toBe(503);
    }
  });
});

describe("a token that was changed", () => {
  const refused = async (response: string, expected: RegExp): Promise<void> => {
    const { mine, page, reason } = await answered(site(), response);
    expect([page.status, reason]).toEqual([400, expect.stringMatching(expected)]);
    expect([...mine.cookies.keys()]).toEqual([]);
  };
  const noSignature = (text: string): string => text.replace(/<ds:Signature [^]*<\/ds:Signature>/, "");
  const signature = (text: string): string => /<ds:Signature [^]*<\/ds:Signature>/.exec(text)?.[0] ?? "";

  it("is refused: another user, another role, a signature of nobody, none", async () => {
    const good = token();
    await refused(responseOf(good.replace("alice", "admin")), /signed by none/);
    await refused(responseOf(good.replace(">dev<", ">admin<")), /signed by none/);
    await refused(responseOf(good.replace(/(<ds:SignatureValue>)..../, "$1AAAA")), /signed by none/);
    await refused(responseOf(noSignature(good)), /not signed/);
    await refused(responseOf(token({}, other)), /signed by none/);
  });

  it("is refused when the signed assertion stands somewhere else (wrapping)", async () => {
    for (const version of ["1.1", "2.0"] as const) {
      const good = token({ version, id: "_good" });
      const evil = assertionOf({ version, id: "_evil", user: "admin" });
      const twin = assertionOf({ version, id: "_good", user: "admin" });
      const inside = (outer: string, inner: string): string => outer.replace(/<\/(saml:)?Assertion>$/, `${inner}$&`);
      const wrapped = [
        // The forged one first or last, beside it.
        responseOf(evil + good), responseOf(good + evil), responseOf(twin + good), responseOf(good + twin),
        // The good one within the forged one: in it, in its signature, in an Object of it.
        responseOf(inside(evil, good)), responseOf(inside(evil, signature(good).replace("</ds:Signature>", `<ds:Object>${noSignature(good)}</ds:Object></ds:Signature>`))),
        responseOf(inside(twin, signature(good).replace("</ds:Signature>", `<ds:Object>${noSignature(good)}</ds:Object></ds:Signature>`))),
        // The forged one in the place for it, the good one elsewhere.
        responseOf(evil).replace("<t:TokenType>", `<t:Other>${good}</t:Other><t:TokenType>`), responseOf(twin).replace("<t:TokenType>", `<t:Other>${good}</t:Other><t:TokenType>`),
        // The signature of the good one on the forged one.
        responseOf(inside(evil, signature(good))), responseOf(inside(twin, signature(good))),
        // Two responses.
        responseOf(evil, { collection: true }).replace("</t:RequestSecurityTokenResponseCollection>", `${responseOf(good)}$&`),
        `<x>${responseOf(good)}${responseOf(evil)}</x>`,
        // The forged one with the good one's elements hidden below another name.
        responseOf(inside(evil, `<hidden xmlns="">${good}</hidden>`)),
      ];
      for (const response of wrapped) await refused(response, /./);
    }
  });

  it("is refused when its signature covers a part of it, or is of another form", async () => {
    await refused(responseOf(signed(assertionOf({ version: "2.0" }), key, { xpath: "//*[local-name(.)='NameID']" })), /form|well-formed|signed by none/);
    const forms = [
      { signatureAlgorithm: "http://www.w3.org/2000/09/xmldsig#rsa-sha1" },
      { digestAlgorithm: "http://www.w3.org/2000/09/xmldsig#sha1" },
      { canonicalization: `${exclusive}WithComments` },
      { canonicalization: "http://www.w3.org/TR/2001/REC-xml-c14n-20010315" },
      { transforms: [enveloped, `${exclusive}WithComments`] },
      { transforms: [enveloped] },
      { transforms: [enveloped, enveloped, exclusive] },
    ];
    for (const form of forms) await refused(responseOf(signed(assertionOf(), key, form)), /form/);
    // As a shared secret, the public key would sign everything.
    await refused(responseOf(token().replace("http://www.w3.org/2001/04/xmldsig-more#rsa-sha256", "http://www.w3.org/2000/09/xmldsig#hmac-sha1")), /form/);
    await refused(responseOf(token().replace(/URI="#[^"]*"/, 'URI=""')), /form/);
    await refused(responseOf(token({ id: "a'b" })), /form/);
  });

  it("is refused when it holds more than elements and text: comments, CDATA, entities, instructions", async () => {
    await refused(responseOf(token({ user: "admin@test.evil" }).replace("admin@test.evil", "admin@test<!-- -->.evil")), /more than elements and text/);
    await refused(responseOf(token().replace("alice", "<![CDATA[alice]]>")), /more than elements and text/);
    await refused(responseOf(token().replace("alice", "<?x alice?>")), /more than elements and text/);
    const bomb = `<!DOCTYPE x [<!ENTITY a "lol"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;">]>`;
    await refused(bomb + responseOf(token().replace("alice", "&c;")), /more than elements and text/);
    await refused(`<!DOCTYPE x SYSTEM "file:///etc/passwd">${responseOf(token())}`, /more than elements and text/);
    await refused(responseOf(token().replace("alice", "&undefined;")), /well-formed|signed by none/);
  });

  it("is refused when it is no XML, too deep, or too large", async () => {
    await refused("", /./);
    await refused("<a>", /well-formed/);
    await refused(responseOf(token()).replace("</t:RequestedSecurityToken>", ""), /well-formed/);
    await refused(responseOf(`${"<a>".repeat(5000)}${"</a>".repeat(5000)}`), /too deep/);
    await refused(responseOf("<a/>".repeat(50_000)), /too deep or too large/);
    // Within the number of characters, these took seconds to read or to bring into canonical form.
    const many = (count: number, write: (index: string) => string): string => Array.from({ length: count }, (_, index) => write(index.toString(36))).join("");
    await refused(responseOf(`${many(9000, (index) => `<a xmlns:p${index}="u">`)}${"</a>".repeat(9000)}`), /too deep or too large/);
    await refused(responseOf(`${many(9000, (index) => `<a xmlns:p${index}="</a>">`)}${"</a>".repeat(9000)}`), /well-formed/);
    await refused(responseOf(`<a ${many(12_000, (index) => `xmlns:p${index}="u" `)}/>`), /too deep or too large/);
    await refused(responseOf(`<a ${many(20_000, (index) => `p${index}='' `)}/>`), /too deep or too large/);
    await refused(responseOf(many(3000, (index) => `<a b="${index}" c="" d=">" e='"'/>`)), /too deep or too large/);
    await refused(responseOf("<a/>".repeat(4000)), /too deep or too large/);
    await refused(responseOf("</a></a>"), /well-formed/);
    await refused(responseOf(`<a b="${"x".repeat(300_000)}"/>`), /more than \d+ characters/);
    await refused("<html><body>Sign in</body></html>", /no security token response/);
  });
});

describe("a token that is signed", () => {
  const refused = async (options: TokenOptions, expected: RegExp): Promise<void> => {
    const { mine, page, reason } = await answered(site(), responseOf(token(options)));
    expect([page.status, reason]).toEqual([400, expect.stringMatching(expected)]);
    expect(mine.cookies.size).toBe(0);
  };
  const minutes = (count: number): Date => new Date(Date.now() + count * 60_000);

  it("is refused when it is for others, of others, or for another time", async () => {
    for (const version of ["1.1", "2.0"] as const) {
      await refused({ version, audience: "urn:other" }, /somebody else/);
      await refused({ version, audience: `${realm}/` }, /somebody else/);
      await refused({ version, audience: undefined }, /somebody else/);
      await refused({ version, issuer: "urn:evil" }, /another issuer/);
      await refused({ version, until: minutes(-2) }, /expired/);
      await refused({ version, from: minutes(2), until: minutes(5) }, /not good yet/);
      await refused({ version, until: undefined }, /no end/);
      await refused({ version, confirmation: "urn:oasis:names:tc:SAML:1.0:cm:holder-of-key" }, /bears/);
      await refused({ version, user: "" }, /names nobody/);
    }
    await refused({ version: "2.0", recipient: "https://other.test/" }, /bears/);
  });

  it("is taken when clocks differ a little, and when it is sent where it says", async () => {
    expect((await answered(site(), responseOf(token({ until: new Date(Date.now() - 10_000) })))).page.status).toBe(302);
    expect((await answered(site(), responseOf(token({ version: "2.0", recipient: callback })))).page.status).toBe(302);
    expect((await answered(site({ clockSkew: 0 }), responseOf(token({ until: new Date(Date.now() - 10_000) })))).page.status).toBe(400);
  });

  it("is taken once", async () => {
    const all = site();
    const response = responseOf(token());
    expect((await answered(all, response)).page.status).toBe(302);
    const { page, reason } = await answered(all, response);
    expect([page.status, reason]).toEqual([400, "the token was used before"]);
  });

  it("is taken from the browser alone that asked for it", async () => {
    const all = site();
    const post = (browser: TestBrowser, wctx: string) => browser.ask(new URL(callback), { method: "POST", form: { wa: "wsignin1.0", wresult: responseOf(token()), wctx } });
    const attacker = all.browser();
    const state = new URL((await attacker.openUntil("/", (to) => to.href.startsWith(endpoint))).url).searchParams.get("wctx") ?? "";
    expect((await post(all.browser(), state)).status).toBe(400);
    expect((await post(all.browser(), "")).status).toBe(400);
    expect((await post(attacker, state)).status).toBe(302);
    expect((await post(attacker, state)).status).toBe(400);
  });
});

describe("the end of a session", () => {
  it("leads to the other party's end of its own", async () => {
    const { mine } = await answered(site({ logoutPath: "/logout" }), responseOf(token()));
    const page = await mine.ask(new URL("/logout", publicOrigin), { method: "POST", form: {}, headers: { "Sec-Fetch-Site": "same-origin" } });
    const url = new URL(page.header("location") ?? "");
    expect([url.origin + url.pathname, Object.fromEntries(url.searchParams)]).toEqual([endpoint, { wa: "wsignout1.0", wtrealm: realm, wreply: `${publicOrigin}/` }]);
    expect(mine.cookies.size).toBe(0);
  });

  it("may come from there, where the browser brings the cookie along", async () => {
    const { mine } = await answered(site(), responseOf(token()));
    expect(mine.cookies.size).toBe(1);
    expect((await mine.ask(new URL(`${callback}?wa=wsignoutcleanup1.0`))).status).toBe(200);
    expect(mine.cookies.size).toBe(0);
    expect((await mine.ask(new URL(`${callback}?wa=other`))).status).toBe(405);
  });
});
