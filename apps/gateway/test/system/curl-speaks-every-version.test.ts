/** curl in front of the gateway in each version of HTTP, and destinations of both versions behind it. */
import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import type { IncomingMessage, ServerResponse } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { describe, expect } from "vitest";
import { openFrontDoors, type FrontDoors } from "../support/front-doors.ts";
import { testWith } from "./required-programs.ts";

const exec = promisify(execFile);

interface Answer {
  /** Heads and trailers as curl saw them, in small letters, without line breaks at the end. */
  readonly heads: string;
  readonly body: string;
  readonly code: number;
  readonly uploaded: number;
}

const clients = {
  "HTTP/1.1": (doors: FrontDoors) => [["--http1.1"], `http://127.0.0.1:${doors.plain}`] as const,
  "HTTP/1.1 over TLS": (doors: FrontDoors) => [["--http1.1", "--cacert", doors.certificate], `https://localhost:${doors.secure}`] as const,
  "HTTP/2 over TLS": (doors: FrontDoors) => [["--http2", "--cacert", doors.certificate], `https://localhost:${doors.secure}`] as const,
  "HTTP/2 by prior knowledge": (doors: FrontDoors) => [["--http2-prior-knowledge"], `http://127.0.0.1:${doors.prior}`] as const,
};

type Client = keyof typeof clients;
const ways = (Object.keys(clients) as Client[]).flatMap((client) => ["h1", "h2"].map((to) => [client, to] as const));

async function ask(curl: string, doors: FrontDoors, client: Client, path: string, ...args: readonly string[]): Promise<Answer> {
  const folder = await mkdtemp(join(tmpdir(), "gateway-curl-"));
  try {
    const [own, base] = clients[client](doors);
    const format = "\n%{http_code} %{size_upload} %{http_version}";
    const common = ["-sS", "--noproxy", "*", "--ipv4", "--max-time", "15", "-D", join(folder, "heads"), "-w", format];
    const { stdout } = await exec(curl, [...common, ...own, ...args, `${base}${path}`], { encoding: "latin1", maxBuffer: 8_388_608 });
    const heads = (await readFile(join(folder, "heads"), "latin1")).toLowerCase().replaceAll("\r", "").trimEnd();
    const end = stdout.lastIndexOf("\n");
    const [code, uploaded, version] = stdout.slice(end + 1).split(" ");
    expect(version).toBe(client.startsWith("HTTP/2") ? "2" : "1.1");
    return { heads, body: stdout.slice(0, end), code: Number(code), uploaded: Number(uploaded) };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function answer(request: IncomingMessage, response: ServerResponse): void {
  switch (request.url) {
    case "/early":
      response.writeEarlyHints({ link: "</style.css>; rel=preload; as=style" });
      response.end("hinted");
      return;
    case "/trailers":
      response.writeHead(200, { trailer: "x-sum" });
      response.write("counted");
      response.addTrailers({ "x-sum": "7", "content-type": "text/forged" });
      response.end();
      return;
    case "/not-modified":
      response.writeHead(304, { etag: '"1"', "last-modified": "Sun, 01 Jan 2023 00:00:00 GMT" }).end();
      return;
    case "/no-content":
      response.writeHead(204, { "x-made": "nothing" }).end();
      return;
    case "/ranged":
      if (request.headers["range"] === "bytes=2-4") {
        response.writeHead(206, { "content-range": "bytes 2-4/10", "content-length": 3 }).end(request.method === "HEAD" ? undefined : "234");
      } else {
        response.writeHead(200, { "accept-ranges": "bytes", "content-length": 10 }).end(request.method === "HEAD" ? undefined : "0123456789");
      }
      return;
    default: {
      let count = 0;
      request.on("data", (chunk: Buffer) => (count += chunk.length));
      request.on("end", () => response.end(`${request.method} ${request.url} ${count} ${request.httpVersion}`));
    }
  }
}

/** Both versions of Node's server: what the destination was asked before the body. */
function expecting(request: IncomingMessage, response: ServerResponse): void {
  if (request.url === "/refused") {
    response.writeHead(403, { "content-length": 0 }).end();
    return;
  }
  response.writeContinue();
  answer(request, response);
}

describe.each(ways)("curl over %s, and from there over %s", (client, to) => {
  testWith(["curl"], "is answered, with bodies both ways and HEAD, 204, 304 and ranges untouched", async ({ curl }) => {
    await using doors = await openFrontDoors({ handler: answer });
    const version = to === "h1" ? "1.1" : "2.0";
    expect(await ask(curl!, doors, client, `/${to}/a?b=%2F`)).toMatchObject({ code: 200, body: `GET /a?b=%2F 0 ${version}` });
    expect(await ask(curl!, doors, client, `/${to}/post`, "--data", "x".repeat(5000))).toMatchObject({ body: `POST /post 5000 ${version}` });
    const unknown = await ask(curl!, doors, client, `/${to}/put`, "-X", "PUT", "-H", "Transfer-Encoding: chunked", "--data", "x".repeat(300));
    expect(unknown.body).toBe(`PUT /put 300 ${version}`);

    const whole = await ask(curl!, doors, client, `/${to}/ranged`, "--head");
    expect(whole.heads).toMatch(/^http\/[0-9.]+ 200/);
    expect(whole.heads).toContain("\ncontent-length: 10");
    // curl writes heads to the output of HEAD too: nothing but heads is there.
    expect(whole.body.toLowerCase().replaceAll("\r", "").trimEnd()).toBe(whole.heads);
    const part = await ask(curl!, doors, client, `/${to}/ranged`, "--range", "2-4");
    expect([part.code, part.body]).toEqual([206, "234"]);
    expect(part.heads).toContain("\ncontent-range: bytes 2-4/10");
    const unmodified = await ask(curl!, doors, client, `/${to}/not-modified`);
    expect([unmodified.code, unmodified.body]).toEqual([304, ""]);
    expect(unmodified.heads).toContain('\netag: "1"');
    const empty = await ask(curl!, doors, client, `/${to}/no-content`);
    expect([empty.code, empty.body]).toEqual([204, ""]);
    expect(empty.heads).toContain("\nx-made: nothing");
    expect(empty.heads).not.toMatch(/content-length|transfer-encoding/);
  });

  testWith(["curl"], "hears early hints before the answer, and the trailers that may pass", async ({ curl }) => {
    await using doors = await openFrontDoors({ handler: answer });
    const hinted = await ask(curl!, doors, client, `/${to}/early`);
    expect(hinted.body).toBe("hinted");
    expect(hinted.heads).toMatch(/^http\/[0-9.]+ 103[^\n]*\nlink: <\/style\.css>; rel=preload; as=style\n\nhttp\/[0-9.]+ 200/);
    const trailed = await ask(curl!, doors, client, `/${to}/trailers`, "-H", "TE: trailers");
    expect(trailed.body).toBe("counted");
    expect(trailed.heads).toMatch(/\nx-sum: 7$/);
    expect(trailed.heads).not.toContain("text/forged");
  });

  testWith(["curl"], "asks with Expect before it sends a body, and the destination says that it wants it", async ({ curl }) => {
    await using doors = await openFrontDoors({ handler: answer, expecting });
    const folder = await mkdtemp(join(tmpdir(), "gateway-curl-"));
    const file = join(folder, "body");
    await writeFile(file, Buffer.alloc(100_000, "x"));
    const body = ["-H", "Expect: 100-continue", "--expect100-timeout", "10", "--data-binary", `@${file}`];
    const taken = await ask(curl!, doors, client, `/${to}/taken`, ...body);
    expect(taken.body).toBe(`POST /taken 100000 ${to === "h1" ? "1.1" : "2.0"}`);
    expect(taken.heads).toMatch(/^http\/[0-9.]+ 100[^\n]*\n\nhttp\/[0-9.]+ 200/);
    await rm(folder, { recursive: true, force: true });
  });
});

// Not by prior knowledge: this curl does not look at an answer that comes there while it waits for 100, whoever sends it.
describe.each(ways.filter(([client]) => client !== "HTTP/2 by prior knowledge"))("curl over %s, and from there over %s,", (client, to) => {
  testWith(["curl"], "keeps a body to itself that the destination does not want", async ({ curl }) => {
    await using doors = await openFrontDoors({ handler: answer, expecting });
    const body = ["-H", "Expect: 100-continue", "--expect100-timeout", "10", "--data-binary", "x".repeat(100_000)];
    const refused = await ask(curl!, doors, client, `/${to}/refused`, ...body);
    expect([refused.code, refused.uploaded]).toEqual([403, 0]);
    expect(refused.heads).toMatch(/^http\/[0-9.]+ 403/);
  });
});
