import { gunzipSync, gzipSync } from "node:zlib";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { ConfigIssue } from "@proxy/config";
import type { BodySink, BodySource } from "@proxy/http";
import { onlyIf, transforms, type TransformConfig } from "@proxy/pipeline";
import { JsonEdits, parsePointer } from "../src/transforms/body/json-edits.ts";
import { mediaTypes } from "../src/transforms/body/media-type.ts";
import { TextReplacement } from "../src/transforms/body/text-replacement.ts";
import { transformCatalogue } from "../src/transforms/catalogue.ts";
import { planTransforms } from "../src/transforms/compile.ts";
import type { FakeCall } from "./support/fake-client.ts";
import { exchangeBytes, rawDestination } from "./support/raw-sockets.ts";
import { serve } from "./support/serving.ts";
import { sendThrough, type Lines, type Sent } from "./support/transform-cases.ts";

class OneChunk implements BodySource {
  readonly length: number;
  readonly #bytes: Buffer;
  started = false;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
    this.length = bytes.length;
  }

  read(sink: BodySink): void {
    this.started = true;
    sink.onData(this.#bytes);
    sink.onEnd(undefined);
  }

  pause(): void {}
  resume(): void {}
  cancel(): void {}
}

function read(body: BodySource | undefined): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Uint8Array[] = [];
    body?.read({
      onData: (chunk) => void chunks.push(Buffer.from(chunk)),
      onEnd: () => resolve(Buffer.concat(chunks)),
      onError: reject,
    });
  });
}

/** What the destination gets of a body. */
async function requestBody(configured: readonly TransformConfig[], body: Buffer | string, headers: Lines): Promise<{ bytes: Buffer; sent: Sent }> {
  let received: Promise<Buffer> | undefined;
  const answer = async (call: FakeCall): Promise<void> => {
    received = read(call.request.body);
    await received;
    call.respond();
  };
  const sent = await sendThrough({
    transforms: configured,
    request: { method: "POST", headers, body: new OneChunk(Buffer.from(body as string)) },
    script: (call) => void answer(call),
  });
  return { bytes: (await received) ?? Buffer.alloc(0), sent };
}

async function responseBody(configured: readonly TransformConfig[], body: string, headers: Lines, status = 200, asked: Lines = []): Promise<Sent> {
  return sendThrough({ transforms: configured, request: { headers: asked }, script: (call) => call.respond(status, headers, body) });
}

const html: Lines = [["Content-Type", "text/html"]];
const json: Lines = [["Content-Type", "application/problem+json; charset=utf-8"]];

describe("a text replacement", () => {
  it("does what replaceAll does, wherever the body is split", () => {
    const letters = fc.array(fc.constantFrom("a", "b", "ü"), { maxLength: 30 }).map((parts) => parts.join(""));
    fc.assert(
      fc.property(letters, letters.filter((each) => each !== ""), letters, fc.array(fc.nat(60)), (text, find, replacement, cuts) => {
        const transform = new TextReplacement(Buffer.from(find), Buffer.from(replacement));
        const bytes = Buffer.from(text);
        const out: Uint8Array[] = [];
        let from = 0;
        for (const cut of [...cuts, bytes.length].map((each) => Math.min(each, bytes.length)).sort((a, b) => a - b)) {
          if (cut > from) out.push((transform.chunk(Buffer.from(bytes.subarray(from, cut))) as Uint8Array | undefined) ?? Buffer.alloc(0));
          from = cut;
        }
        out.push((transform.end() as Uint8Array | undefined) ?? Buffer.alloc(0));
        expect(Buffer.concat(out).toString()).toBe(text.split(find).join(replacement));
      }),
      { numRuns: 2000 },
    );
  });

  it("holds nothing back that cannot begin what is looked for", () => {
    const transform = new TextReplacement(Buffer.from("needle"), Buffer.from("x"));
    expect(String(transform.chunk(Buffer.from("data: 1\n\n")))).toBe("data: 1\n\n");
    expect(String(transform.chunk(Buffer.from("a nee")))).toBe("a ");
    expect(String(transform.chunk(Buffer.from("dles")))).toBe("xs");
  });

  it("leaves bodies of other types, and of charsets that nobody knows, as they are", async () => {
    const replace = [transforms.responseBodyReplace("a", { with: "b" })];
    for (const type of ["image/png", "text/html; charset=no-such", ""]) {
      const { exchange } = await responseBody(replace, "aaa", [...(type === "" ? [] : [["Content-Type", type] as const]), ["Content-Length", "3"]]);
      expect([exchange.response.text, exchange.response.header("content-length")]).toEqual(["aaa", "3"]);
    }
    expect((await responseBody([transforms.responseBodyReplace("a", { with: "b", contentTypes: ["image/*"] })], "aaa", [["Content-Type", "image/png"]])).exchange.response.text).toBe("bbb");
  });

  it("turns other charsets into UTF-8 and says so", async () => {
    const { bytes, sent } = await requestBody(
      [transforms.requestBodyReplace("für", { with: "statt" }), transforms.requestBodyReplace("ä", { with: "ö" })],
      Buffer.from("für täglich", "latin1"),
      [["Content-Type", 'text/plain; Charset="ISO-8859-1"; x=y']],
    );
    expect([bytes.toString(), sent.headers.get("content-type")]).toEqual(["statt töglich", "text/plain; Charset=utf-8; x=y"]);
    const utf16 = await requestBody([transforms.requestBodyReplace("b", { with: "ß" })], Buffer.from("abc", "utf16le"), [["Content-Type", "text/plain; charset=utf-16le"]]);
    expect(utf16.bytes.toString()).toBe("aßc");
  });

  it("goes through content codings", async () => {
    const { bytes, sent } = await requestBody([transforms.requestBodyReplace("a", { with: "bb" })], gzipSync("banana"), [...html, ["Content-Encoding", "gzip"]]);
    expect([gunzipSync(bytes).toString(), sent.headers.get("content-encoding")]).toEqual(["bbbnbbnbb", "gzip"]);
  });
});

describe("what is asked of destinations", () => {
  const asked: Lines = [["Range", "bytes=0-1"], ["If-Range", '"a"'], ["Accept-Encoding", "gzip;q=0.5, compress, dcb"], ["Accept-Encoding", "BR, *"]];

  it.each([
    ["Recompress", asked, "gzip;q=0.5, BR"],
    ["Recompress", [["Accept-Encoding", "compress"]] as Lines, "identity"],
    ["Recompress", [] as Lines, undefined],
    ["Identity", asked, "identity"],
  ] as const)("is a whole body in codings that can be taken off (%s)", async (encoding, given, codings) => {
    const { headers } = await responseBody([transforms.responseBodyReplace("a", { with: "b", encoding })], "a", html, 200, given);
    expect([headers.get("range"), headers.get("if-range"), headers.getAll("accept-encoding")]).toEqual([undefined, undefined, codings === undefined ? [] : [codings]]);
  });

  it("does not depend on a status that nobody knows yet", async () => {
    const transform = onlyIf("status 500-599", transforms.responseBodyReplace("secret", { with: "" }));
    for (const [status, text] of [[200, "a secret"], [500, "a "]] as const) {
      const { exchange, headers } = await responseBody([transform], "a secret", html, status, asked);
      expect([exchange.response.text, headers.get("range")]).toEqual([text, undefined]);
    }
  });

  it("leaves a part that comes nevertheless", async () => {
    const { exchange } = await responseBody([transforms.responseBodyReplace("a", { with: "b" })], "aa", [...html, ["Content-Range", "bytes 0-1/9"]], 206);
    expect(exchange.response.text).toBe("aa");
  });
});

describe("JSON edits", () => {
  it.each<[configured: readonly TransformConfig[], before: string, after: string]>([
    [[transforms.responseBodyJson("/a/b~1c/~0d", { set: "x" })], '{"a":{"b/c":{"~d":1}}}', '{"a":{"b/c":{"~d":"x"}}}'],
    [[transforms.responseBodyJson("/a", { setJson: '{"b":[1]}' }), transforms.responseBodyJson("/a/b/-", { setJson: "2" })], "{}", '{"a":{"b":[1,2]}}'],
    [[transforms.responseBodyJson("/0", { remove: true }), transforms.responseBodyJson("/0", { setJson: "null" })], "[1,2,3]", "[null,3]"],
    [[transforms.responseBodyJson("", { setJson: "[]" })], '{"a":1}', "[]"],
    [[transforms.responseBodyJson("/big/x", { set: "y" })], '{ "big" : 12345678901234567890 }', '{ "big" : 12345678901234567890 }'],
    [[transforms.responseBodyJson("/x", { set: "y" })], '{"n":[12345678901234567890,1.10,1e3]}', '{"n":[12345678901234567890,1.10,1e3],"x":"y"}'],
    [[transforms.responseBodyJson("/__proto__/x", { set: "y" }), transforms.responseBodyJson("/constructor", { remove: true })], "{}", "{}"],
    [[transforms.responseBodyJson("/__proto__", { set: "y" })], "{}", '{"__proto__":"y"}'],
    [[transforms.responseBodyJson("/a/01", { set: "y" }), transforms.responseBodyJson("/a/length", { set: "y" }), transforms.responseBodyJson("/a/1", { set: "y" })], '{"a":[0]}', '{"a":[0]}'],
    [[transforms.responseBodyJson("/a/b", { set: "y" })], '{"a":null}', '{"a":null}'],
    // Of two members of one name receivers take either: what an edit is there to hide must not pass in the other.
    [[transforms.responseBodyJson("/a/b", { remove: true })], '{"a":{"b":1}, "a":null}', '{"a":null}'],
    [[transforms.responseBodyJson("/a/b", { remove: true })], '{"a": {"c":":"}, "l": [{"a":1}, {"a":1}]}', '{"a": {"c":":"}, "l": [{"a":1}, {"a":1}]}'],
  ])("%j", async (configured, before, after) => {
    // Twice: what one request did is nothing to the next.
    for (let i = 0; i < 2; i++) expect((await responseBody(configured, before, json)).exchange.response.text).toBe(after);
  });

  it("keep the digits of numbers, and texts that look like numbers", () => {
    const number = fc.constantFrom("0", "-0", "1.0", "-1.50", "1e400", "12345678901234567890", "1E+2", "0.1", "7", "-12");
    const text = fc.constantFrom('"1.0"', '"\\"1.0"', '"\\\\"', '"a 1.10 b"', "true", "null", "{}", '"\u2028"');
    const list = fc.array(fc.oneof(number, text), { maxLength: 12 });
    const blanks = fc.constantFrom("", " ", "\n\t");
    fc.assert(
      fc.property(list, blanks, (items, blank) => {
        const edits = new JsonEdits({ pointer: ["k"], value: "x" }, 1_000_000);
        edits.chunk(Buffer.from(`{"k":0,"1.0":[${items.join(`${blank},${blank}`)}],"n"${blank}:${blank}1.0${blank}}`));
        expect(String(edits.end())).toBe(`{"k":"x","1.0":[${items.join(",")}],"n":1.0}`);
      }),
    );
  });

  it.each(["{1.0:2}", "{1.0 :2}", "01.0", "1.", "-", "+1.0", "1.0.0", "1.0 1.0", "--1.0", "1e", ".5", '["a"1.0]', "[1.0e]", "[1.0-]", '"1.0', '"\\', "NaN"])("refuse %s", (text) => {
    const edits = new JsonEdits({ pointer: [], value: "x" }, 1000);
    edits.chunk(Buffer.from(text));
    expect(() => edits.end()).toThrow("no JSON");
  });

  it("take little longer than reading the text does", () => {
    const text = `[${"1.0,1,".repeat(150_000)}1]`;
    // Of a few, so that nothing else that the process does counts: the slow way took ten times as long.
    const costs = Array.from({ length: 4 }, () => {
      const begin = process.cpuUsage();
      const edits = new JsonEdits({ pointer: ["0"], value: "x" }, 1_048_576);
      edits.chunk(Buffer.from(text));
      expect(String(edits.end())).toMatch(/^\["x",1,1\.0,/);
      return process.cpuUsage(begin).user;
    });
    expect(Math.min(...costs)).toBeLessThan(1_500_000);
  });

  it("are made where any of several types is theirs: nobody knows which one the receiver goes by", async () => {
    const types: Lines = [["Content-Type", "text/plain"], ["Content-Type", "application/json"]];
    const edit = [transforms.responseBodyJson("/a", { set: "x" })];
    for (const headers of [types, [...types].reverse(), [["Content-Type", "text/plain, application/json;q=1"]] as Lines]) {
      expect((await responseBody(edit, '{"a":1}', headers)).exchange.response.text).toBe('{"a":"x"}');
    }
  });

  it("refuse what is no JSON, and what is too large", async () => {
    const edit = [transforms.responseBodyJson("/a", { set: "x", maxSize: 10 })];
    for (const body of ["{", "[1,2,3,4,5,6,7,8,9]", "\u00ff", "[".repeat(9)]) {
      const { exchange } = await responseBody(edit, body, json);
      expect([exchange.response.status, exchange.response.text]).toEqual([502, ""]);
    }
    const deep = `${"[".repeat(200_000)}${"]".repeat(200_000)}`;
    const { exchange } = await responseBody([transforms.responseBodyJson("/a", { set: "x" })], deep, json);
    expect([200, 502]).toContain(exchange.response.status);
  });

  it("see each value where a pointer says that it is", () => {
    const tree = fc.jsonValue({ maxDepth: 3 });
    fc.assert(
      fc.property(tree, fc.array(fc.nat(), { maxLength: 4 }), (value, choices) => {
        const parts: string[] = [];
        let at = value as unknown;
        for (const choice of choices) {
          if (typeof at !== "object" || at === null) break;
          const keys = Object.keys(at);
          if (keys.length === 0) break;
          const chosen = keys[choice % keys.length] as string;
          parts.push(chosen);
          at = (at as Record<string, unknown>)[chosen];
        }
        const pointer = parts.map((part) => `/${part.replaceAll("~", "~0").replaceAll("/", "~1")}`).join("");
        const edits = new JsonEdits({ pointer: parsePointer(pointer) as readonly string[], value: "mark" }, 1_000_000);
        edits.chunk(Buffer.from(JSON.stringify(value)));
        let found = JSON.parse(String(edits.end())) as unknown;
        for (const part of parts) found = (found as Record<string, unknown>)[part];
        expect(found).toBe("mark");
      }),
    );
  });
});

describe("over sockets", () => {
  it("methods are changed both ways, and every message keeps its end", async () => {
    const destination = await rawDestination((received, socket) => {
      if (received.endsWith("\r\n\r\n")) socket.write(`HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n${received.startsWith("HEAD") ? "" : "hello"}`);
    });
    for (const extra of [[], [transforms.responseHeadersAllowed(["Content-Length"])]]) {
      for (const [from, to, answer] of [["GET", "HEAD", /\r\n\r\n0\r\n\r\n$/], ["HEAD", "GET", /Content-Length: 5\r\n[^]*\r\n\r\n$/]] as const) {
        const proxy = await serve({
          config: {
            routes: { r: { clusterId: "c", match: { path: "/" }, transforms: [transforms.httpMethodChange(from, { set: to }), ...extra] } },
            clusters: { c: { destinations: { d: { address: `http://127.0.0.1:${destination.port}` } } } },
          },
        });
        const got = await exchangeBytes(proxy.port, `${from} / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`);
        expect(got).toMatch(/^HTTP\/1\.1 200 /);
        expect(got).toMatch(answer);
        await proxy.close();
      }
    }
    await destination.close();
  });

  it("a client sees that a body cannot be edited: 400 and 413", async () => {
    const destination = await rawDestination(() => {});
    const proxy = await serve({
      config: {
        routes: { r: { clusterId: "c", match: { path: "/{**rest}" }, transforms: [transforms.requestBodyJson("/a", { set: "x", maxSize: 20 })] } },
        clusters: { c: { destinations: { d: { address: `http://127.0.0.1:${destination.port}` } } } },
      },
    });
    for (const [body, status] of [["{", 400], [JSON.stringify({ text: "x".repeat(30) }), 413]] as const) {
      const answer = await exchangeBytes(
        proxy.port,
        `POST / HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\nConnection: close\r\n\r\n${body}`,
      );
      expect(answer).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
    }
    // Not a whole message: nobody takes what came for one.
    for (const received of destination.received) expect(received).not.toContain("0\r\n\r\n");
    await proxy.close();
    await destination.close();
  });
});

describe("faults of body transforms", () => {
  it("are found at load", () => {
    const faults: readonly TransformConfig[] = [
      { ResponseBodyReplace: "", With: "x" },
      { ResponseBodyReplace: "a" },
      { ResponseBodyReplace: "a", With: "x".repeat(2000) },
      { ResponseBodyReplace: "a", With: "b", ContentTypes: "text" },
      { ResponseBodyReplace: "a", With: "b", MaxSize: "0" },
      { ResponseBodyReplace: "a", With: "b", Encoding: "gzip" },
      { ResponseBodyJson: "a", Set: "b" },
      { ResponseBodyJson: "/a~2", Set: "b" },
      { ResponseBodyJson: "/a" },
      { ResponseBodyJson: "/a", Set: "b", Remove: "true" },
      { ResponseBodyJson: "", Remove: "true" },
      { ResponseBodyJson: "/a", SetJson: "{" },
    ];
    for (const fault of faults) {
      const issues: ConfigIssue[] = [];
      planTransforms({ routeId: "r", match: { path: "/" }, transforms: [fault] }, transformCatalogue(), issues);
      expect([fault, issues.map((issue) => issue.code)]).toEqual([fault, ["bad-body-transform"]]);
    }
    expect(["text/html", "application/x+json", "image/png"].map((type) => mediaTypes("TEXT/*; */*+json")?.(type))).toEqual([true, true, false]);
  });
});
