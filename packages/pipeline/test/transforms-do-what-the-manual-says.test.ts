/** Each example of the manual, over sockets: what the client sends, what the destination gets, what comes back. */
import { readFileSync } from "node:fs";
import { afterEach, describe, expect, it } from "vitest";
import { transforms, type TransformConfig } from "@proxy/pipeline";
import { builtIn } from "../src/transforms/catalogue.ts";
import { generateTransformManual, manualEntries, writeCode } from "../src/transforms/manual/write-manual.ts";
import { exchangeBytes, rawDestination } from "./support/raw-sockets.ts";
import { serve } from "./support/serving.ts";

const open: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const each of open.splice(0).reverse()) await each.close();
});

const isStartLine = (line: string): boolean => /^(?:HTTP\/1\.1 |[A-Z]+ \/)/.test(line);

/** The lines of a head; the version of a request line is left out. */
function headOf(message: string): string[] {
  const [head = ""] = message.split("\r\n\r\n", 1);
  return head.split("\r\n").map((line) => line.replace(/ HTTP\/1\.1$/, ""));
}

describe("the manual", () => {
  it("names every transform, in the order of the catalogue", () => {
    expect(manualEntries.map(({ key }) => key)).toEqual(builtIn.map(({ key }) => key));
  });

  it("is what docs/transforms.md holds", () => {
    const page = readFileSync(new URL("../../../docs/transforms.md", import.meta.url), "utf8");
    expect(page).toContain(generateTransformManual());
  });

  it("writes the code that gives the configuration", () => {
    const names = Object.keys(transforms);
    expect(manualEntries.map(({ example }) => /transforms\.(\w+)\(/.exec(writeCode(example.transform))?.[1]).sort()).toEqual(names.sort());
    const pairs: [TransformConfig, TransformConfig][] = [
      [transforms.requestHeadersAllowed(["Accept", "X-Mine"]), { RequestHeadersAllowed: "Accept;X-Mine" }],
      [transforms.xForwarded("Remove", { for: "Set", headerPrefix: "X-C-" }), { "X-Forwarded": "Remove", For: "Set", HeaderPrefix: "X-C-" }],
      [transforms.forwarded(["for", "host"], { forFormat: "Ip" }), { Forwarded: "for,host", ForFormat: "Ip" }],
      [transforms.securityHeaders("Default", { override: true, headers: { "X-Frame-Options": "" } }), { SecurityHeaders: "Default", Override: "true", "X-Frame-Options": "" }],
      [transforms.responseHeader("A", { set: "1", when: "Always" }), { ResponseHeader: "A", Set: "1", When: "Always" }],
      [transforms.responseCookie("*", { secure: true, domain: "" }), { ResponseCookie: "*", Secure: "true", Domain: "" }],
    ];
    for (const [given, configured] of pairs) expect(given).toEqual(configured);
    expect(writeCode({ Forwarded: "for,host", ForFormat: "Ip" })).toBe('transforms.forwarded(["for", "host"], { forFormat: "Ip" })');
    expect(writeCode({ RedirectToHttps: "308", Port: "1" })).toBe('transforms.redirectToHttps(308, { port: "1" })');
  });
});

describe("over sockets", () => {
  it.each(manualEntries.map((entry) => [entry.key, entry.example] as const))("%s does what its example says", async (_key, example) => {
    const { of, before, after, body: content } = example;
    const ofRequest = of === "request" || of === "answer";
    const destination = await rawDestination((received, socket) => {
      if (!received.includes(of === "request" && content !== undefined ? "\r\n0\r\n\r\n" : "\r\n\r\n")) return;
      const lines = ofRequest || of === "trailers" ? [] : before;
      const status = lines.find(isStartLine) ?? "HTTP/1.1 200 OK";
      const fields = lines.filter((line) => !isStartLine(line));
      const answered = of === "response" ? (content?.before ?? "ok") : "ok";
      const body =
        of === "trailers"
          ? ["Transfer-Encoding: chunked", `Trailer: X-Sum`, "", "2\r\nok\r\n0", ...before, "", ""]
          : [`Content-Length: ${answered.length}`, "", answered];
      socket.write([status, ...fields, ...body].join("\r\n"), "latin1");
    });
    open.push(destination);
    const proxy = await serve({
      config: {
        routes: {
          r: { clusterId: "c", match: { path: example.route ?? "/{**path}" }, transforms: [...(example.beside ?? []), example.transform] },
        },
        clusters: { c: { destinations: { d: { address: `http://127.0.0.1:${destination.port}` } } } },
      },
    });
    open.push(proxy);
    const asked = ofRequest ? before : [];
    const line = asked.find(isStartLine) ?? "GET /shop";
    const fields = asked.filter((each) => !isStartLine(each));
    if (!fields.some((each) => each.startsWith("Host:"))) fields.push("Host: site.test");
    const sent = asked.length > 0 && content !== undefined ? [`Content-Length: ${content.before.length}`] : [];
    const answer = await exchangeBytes(proxy.port, [`${line} HTTP/1.1`, ...fields, ...sent, "TE: trailers", "Connection: close", "", asked.length > 0 ? (content?.before ?? "") : ""].join("\r\n"));
    const [request = ""] = destination.received;
    if (of === "answer") expect(destination.received).toEqual([]);
    const seen = of === "request" ? headOf(request) : of === "trailers" ? answer.split("\r\n0\r\n")[1]?.split("\r\n") : headOf(answer);
    for (const each of after) expect(seen).toContain(each);
    if (of === "answer") return;
    for (const gone of before.filter((each) => !after.includes(each))) expect(seen).not.toContain(gone);
    if (content !== undefined) expect(of === "request" ? request : answer).toContain(content.after);
    if (content === undefined || of === "request") expect(answer).toMatch(/ok(?:\r\n0\r\n|$)/);
  });
});
