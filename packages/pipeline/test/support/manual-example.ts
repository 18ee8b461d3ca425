/** Runs an example of the manual over sockets: what the client sends, what the destination gets, what comes back. */
import { expect } from "vitest";
import type { TransformConfig } from "@proxy/pipeline";
import type { ManualExample } from "../../src/transforms/manual/entry.ts";
import { exchangeBytes, rawDestination } from "./raw-sockets.ts";

/** What a proxy for the example needs: one route to one destination. */
export interface ExampleProxy {
  readonly route: { readonly path: string; readonly transforms: readonly TransformConfig[] };
  readonly address: string;
}

const isStartLine = (line: string): boolean => /^(?:HTTP\/1\.1 |[A-Z]+ \/)/.test(line);

/** The lines of a head; the version of a request line is left out. */
function headOf(message: string): string[] {
  const [head = ""] = message.split("\r\n\r\n", 1);
  return head.split("\r\n").map((line) => line.replace(/ HTTP\/1\.1$/, ""));
}

/** `open` starts a proxy and gives its port. */
export async function runExample(example: ManualExample, open: (proxy: ExampleProxy) => Promise<number>): Promise<void> {
  const { of, before, after, body: content } = example;
  const ofRequest = of === "request" || of === "answer";
  const destination = await rawDestination((received, socket) => {
    if (!received.includes(of === "request" && content !== undefined ? "\r\n0\r\n\r\n" : "\r\n\r\n")) return;
    socket.write(answerOf(example), "latin1");
  });
  try {
    const port = await open({
      route: { path: example.route ?? "/{**path}", transforms: [...(example.beside ?? []), example.transform] },
      address: `http://127.0.0.1:${destination.port}`,
    });
    const asked = ofRequest ? before : [];
    const fields = asked.filter((each) => !isStartLine(each));
    if (!fields.some((each) => each.startsWith("Host:"))) fields.push("Host: site.test");
    const body = ofRequest ? (content?.before ?? "") : "";
    if (body !== "") fields.push(`Content-Length: ${body.length}`);
    const line = asked.find(isStartLine) ?? "GET /shop";
    const answer = await exchangeBytes(port, [`${line} HTTP/1.1`, ...fields, "TE: trailers", "Connection: close", "", body].join("\r\n"));
    const [request = ""] = destination.received;
    if (of === "answer") expect(destination.received).toEqual([]);
    const seen = of === "request" ? headOf(request) : of === "trailers" ? answer.split("\r\n0\r\n")[1]?.split("\r\n") : headOf(answer);
    for (const each of after) expect(seen).toContain(each);
    if (of === "answer") return;
    for (const gone of before.filter((each) => !after.includes(each))) expect(seen).not.toContain(gone);
    if (content !== undefined) expect(ofRequest ? request : answer).toContain(content.after);
    if (content === undefined || ofRequest) expect(answer).toMatch(/ok(?:\r\n0\r\n|$)/);
  } finally {
    await destination.close();
  }
}

/** What the destination answers. */
function answerOf({ of, before, body: content }: ManualExample): string {
  const lines = of === "response" ? before : [];
  const status = lines.find(isStartLine) ?? "HTTP/1.1 200 OK";
  const fields = lines.filter((line) => !isStartLine(line));
  const answered = of === "response" ? (content?.before ?? "ok") : "ok";
  const body =
    of === "trailers"
      ? ["Transfer-Encoding: chunked", "Trailer: X-Sum", "", "2\r\nok\r\n0", ...before, "", ""]
      : [`Content-Length: ${answered.length}`, "", answered];
  return [status, ...fields, ...body].join("\r\n");
}
