/** Whatever is configured, and whatever a client sends: what goes out is a valid message. */
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { ConfigIssue } from "@proxy/config";
import type { OutgoingRequest } from "@proxy/forwarder";
import { HeaderList, isHeaderName, isHeaderValue, isQuery, normalizePath } from "@proxy/http";
import type { ProxyContext } from "@proxy/pipeline";
import { parseTemplate } from "../src/routing/route-template.ts";
import { captureValues } from "../src/routing/route-values.ts";
import { transformCatalogue } from "../src/transforms/catalogue.ts";
import { planTransforms } from "../src/transforms/compile.ts";
import type { TransformPlan } from "../src/transforms/transform.ts";
import { FakeExchange } from "./support/fake-exchange.ts";

const catalogue = transformCatalogue();
const template = parseTemplate("/{a}/{b?}/{**rest}");

function planOf(transforms: readonly Record<string, string>[]): TransformPlan {
  const issues: ConfigIssue[] = [];
  return planTransforms({ routeId: "r", match: {}, transforms }, catalogue, issues);
}

interface Ran {
  readonly outgoing: OutgoingRequest;
  readonly exchange: FakeExchange;
  readonly refused: boolean;
}

/** Runs the request transforms; one that throws refuses the request, as does one that answers. */
function run(plan: TransformPlan, path: string, query: string): Ran {
  const exchange = new FakeExchange({ target: path + query });
  const headers = exchange.request.headers.copy();
  const outgoing: OutgoingRequest = {
    method: "GET",
    destinationPrefix: "http://d.test",
    path,
    query,
    url: undefined,
    headers,
    body: undefined,
    attempt: 1,
  };
  const routeValues = captureValues(template, path) ?? new Map();
  const ctx = { exchange, routeValues, trustedPeer: false } as unknown as ProxyContext;
  for (const transform of plan.request) {
    try {
      void transform(outgoing, ctx);
    } catch {
      return { outgoing, exchange, refused: true };
    }
    if (exchange.response.started) return { outgoing, exchange, refused: true };
  }
  return { outgoing, exchange, refused: false };
}

const pathCharacter = fc.constantFrom(..."/aB.;=:@~-_!$&'()*+,%", "%2F", "%2e", "%20", "%C3%A9", "%FF", "%0D", "%25", "..", "é", "#", "?", " ", "\n", "本", "\uD800");
const text = fc.array(pathCharacter, { maxLength: 12 }).map((parts) => parts.join(""));
const clientPath = text.map((one) => normalizePath(`/${one}`)).filter((one) => one !== undefined);
const clientQuery = text.map((one) => (one === "" ? "" : `?${one}`)).filter(isQuery);
const change = fc.tuple(fc.constantFrom("Set", "Append"), text);

const pathTransform: fc.Arbitrary<Record<string, string>> = fc.oneof(
  text.map((value) => ({ PathPrefix: value })),
  text.map((value) => ({ PathRemovePrefix: value })),
  text.map((value) => ({ PathSet: value })),
  fc.constantFrom("/{a}/{b}", "/x/{**rest}", "/{a}-{b}", "{rest}", "/p/{a}.{b}/q").map((value) => ({ PathPattern: value })),
  fc
    .tuple(fc.constantFrom("^/(.)(.*)$", "/([^/]*)/", "(.+)", "%", "é", "\\.", "/"), fc.oneof(text, fc.constantFrom("/$1", "$2/$1", ".", "/x$1..", "$1.")))
    .map(([expression, value]) => ({ PathRegex: expression, Replace: value })),
  fc.tuple(text, change).map(([name, [kind, value]]) => ({ QueryValueParameter: name, [kind]: value })),
  fc.tuple(text, fc.constantFrom("a", "b", "rest")).map(([name, value]) => ({ QueryRouteParameter: name, Append: value })),
  text.map((name) => ({ QueryRemoveParameter: name })),
);

describe("whatever transforms do", () => {
  it("path and query stay a valid target, without dot segments", () => {
    fc.assert(
      fc.property(fc.array(pathTransform, { maxLength: 5 }), clientPath, clientQuery, (transforms, path, query) => {
        const { outgoing, refused } = run(planOf(transforms), path, query);
        if (refused) return;
        expect(outgoing.path === "" || normalizePath(outgoing.path) === outgoing.path).toBe(true);
        expect(isQuery(outgoing.query)).toBe(true);
        expect(outgoing.query === "" || outgoing.query.startsWith("?")).toBe(true);
      }),
      { numRuns: 2000 },
    );
  });

  const anything = fc.string({ unit: "binary", maxLength: 12 });
  const name = fc.oneof(anything, fc.constantFrom("X-A", "Host", "Connection", "transfer-encoding", "Content-Length", "Upgrade", "TE", "keep-alive", "X-A\r\nB"));
  const value = fc.oneof(anything, fc.constantFrom("a\r\nB: c", "\0", "x\n", "é", "a", "chunked"));
  const headerTransform: fc.Arbitrary<Record<string, string>> = fc.oneof(
    fc
      .tuple(fc.constantFrom("RequestHeader", "ResponseHeader", "ResponseTrailer"), name, fc.constantFrom("Set", "Append"), value)
      .map(([form, field, kind, text]) => ({ [form]: field, [kind]: text, ...(form === "RequestHeader" ? {} : { When: "Always" }) })),
    fc.tuple(name, fc.constantFrom("a", "b", "rest")).map(([field, parameter]) => ({ RequestHeaderRouteValue: field, Set: parameter })),
    name.map((field) => ({ ClientCert: field })),
    name.map((field) => ({ ClientAddress: field })),
    name.map((field) => ({ RequestHeadersAllowed: field })),
    name.map((prefix) => ({ "X-Forwarded": "Append", HeaderPrefix: prefix })),
    fc.constant({ Forwarded: "for,by,host,proto", ForFormat: "IpAndPort" }),
    fc.tuple(name, value).map(([cookie, domain]) => ({ ResponseCookie: cookie, Domain: domain, Path: "/x" })),
    value.map((base) => ({ ResponseLocation: base })),
    fc.tuple(value, value).map(([host, port]) => ({ RedirectToHttps: "308", Host: host, Port: port })),
    fc.constantFrom("Identity", "Recompress").map((encoding) => ({ ResponseBodyReplace: "a", With: "b", Encoding: encoding })),
    fc.constant({ ResponseBodyJson: "/a", Set: "b" }),
    value.map((types) => ({ RequestBodyReplace: "a", With: "b", ContentTypes: types })),
    value.map((policy) => ({ SecurityHeaders: "Strict", "Content-Security-Policy": policy })),
  );
  const mediaType = fc.constantFrom("text/html", "text/html; charset=latin1", 'text/html; CHARSET="utf-16le"; a=b', "text/html; charset=\"", "application/json", "");
  const framing: ReadonlySet<string> = new Set(["connection", "transfer-encoding", "content-length", "upgrade", "te", "keep-alive"]);

  function check(headers: HeaderList): void {
    for (const [field, text] of headers) {
      expect(isHeaderName(field) && isHeaderValue(text)).toBe(true);
      expect(framing.has(field.toLowerCase())).toBe(false);
    }
    expect(headers.getAll("host").length).toBeLessThan(2);
  }

  it("no field carries CR, LF or NUL, none is of framing, and there is one Host", () => {
    fc.assert(
      fc.property(fc.array(headerTransform, { maxLength: 5 }), clientPath, mediaType, (transforms, path, contentType) => {
        const plan = planOf(transforms);
        const { outgoing, exchange, refused } = run(plan, path, "");
        if (!refused) check(outgoing.headers);
        // Its own answer has a length of its own.
        exchange.response.head?.headers.remove("content-length");
        check(exchange.response.head?.headers ?? new HeaderList());
        const response = {
          status: 200,
          reason: undefined,
          headers: HeaderList.from([["Set-Cookie", "a=1; Path=/"], ["Content-Type", contentType]]),
        };
        const ctx = { exchange, route: { transforms: plan }, destination: undefined } as unknown as ProxyContext;
        for (const transform of plan.response) void transform(response, ctx, { status: 200, headers: response.headers });
        check(response.headers);
        const trailers = new HeaderList();
        for (const transform of plan.trailers) transform(trailers, ctx, 200);
        check(trailers);
      }),
      { numRuns: 2000 },
    );
  });

  it("no expression takes long, whatever the path", () => {
    const plan = planOf([{ PathRegex: "^/(a+)+$", Replace: "/x" }]);
    const begin = process.cpuUsage();
    run(plan, `/${"a".repeat(8000)}!`, "");
    const { user } = process.cpuUsage(begin);
    expect(user).toBeLessThan(10_000_000);
  });
});
