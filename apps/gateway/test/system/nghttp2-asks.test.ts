/** nghttp and h2load of nghttp2 in front of the gateway: frames as another implementation of HTTP/2 sees them. */
import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import type { IncomingMessage, ServerResponse } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { describe, expect } from "vitest";
import { openFrontDoors, type FrontDoors } from "../support/front-doors.ts";
import { testWith } from "./required-programs.ts";

const exec = promisify(execFile);

const doorsOf = {
  "over TLS": (doors: FrontDoors) => `https://localhost:${doors.secure}`,
  "by prior knowledge": (doors: FrontDoors) => `http://127.0.0.1:${doors.prior}`,
};
const ways = (Object.keys(doorsOf) as (keyof typeof doorsOf)[]).flatMap((door) => ["h1", "h2"].map((to) => [door, to] as const));

/** What nghttp says of frames, without times and colours. `args`: as of the program. */
async function frames(nghttp: string, url: string, ...args: readonly string[]): Promise<string> {
  const { stdout } = await exec(nghttp, ["--null-out", "--verbose", "--no-dep", "--timeout=15", ...args, url], { encoding: "latin1", maxBuffer: 8_388_608 });
  return stdout.replaceAll(/^\[[^\]]*\] /gm, "").replaceAll("\r", "");
}

function answer(request: IncomingMessage, response: ServerResponse): void {
  if (request.url === "/early") response.writeEarlyHints({ link: "</style.css>; rel=preload; as=style" });
  if (request.url === "/not-modified") {
    response.writeHead(304, { etag: '"1"' }).end();
    return;
  }
  let count = 0;
  request.on("data", (chunk: Buffer) => (count += chunk.length));
  request.on("end", () => {
    response.writeHead(200, { trailer: "x-sum" });
    response.write("x".repeat(10));
    response.addTrailers({ "x-sum": String(count), "x-client": String(request.trailers["x-client"]) });
    response.end();
  });
}

function expecting(request: IncomingMessage, response: ServerResponse): void {
  if (request.url === "/refused") {
    response.writeHead(403, { "content-length": 0 }).end();
    return;
  }
  response.writeContinue();
  answer(request, response);
}

async function withBody(size: number, run: (file: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "gateway-nghttp-"));
  const file = join(folder, "body");
  await writeFile(file, Buffer.alloc(size, "x"));
  try {
    await run(file);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

describe.each(ways)("nghttp %s, and from there over %s", (door, to) => {
  testWith(["nghttp"], "sees early hints, trailers of both sides, and ends of streams where they belong", async ({ nghttp }) => {
    await using doors = await openFrontDoors({ handler: answer });
    const base = `${doorsOf[door](doors)}/${to}`;
    await withBody(40_000, async (file) => {
      const seen = await frames(nghttp!, `${base}/early`, `--data=${file}`, "--no-content-length", "--trailer=x-client: told");
      expect(seen).toMatch(/:status: 103\n[^]*link: <\/style\.css>; rel=preload; as=style\n[^]*:status: 200\n/);
      // Without a length, so that HTTP/1.1 has a place for trailers too. They end the stream, and DATA does not.
      expect(seen).toMatch(/recv \(stream_id=\d+\) x-sum: 40000\nrecv \(stream_id=\d+\) x-client: told\nrecv HEADERS frame <length=\d+, flags=0x05/);
      expect(seen).not.toMatch(/recv DATA frame <length=\d+, flags=0x01/);
      expect(seen).not.toContain("recv RST_STREAM");
    });
    const unmodified = await frames(nghttp!, `${base}/not-modified`);
    expect(unmodified).toMatch(/:status: 304\n[^]*recv HEADERS frame <length=\d+, flags=0x05/);
    expect(unmodified).not.toContain("recv DATA");
  });

  testWith(["nghttp"], "sends a body that it asked for first, or keeps it, as the destination says", async ({ nghttp }) => {
    await using doors = await openFrontDoors({ handler: answer, expecting });
    const base = `${doorsOf[door](doors)}/${to}`;
    await withBody(40_000, async (file) => {
      const taken = await frames(nghttp!, `${base}/taken`, `--data=${file}`, "--expect-continue");
      expect(taken).toMatch(/:status: 100\n[^]*send DATA[^]*:status: 200\n[^]*x-sum: 40000\n/);
      const refused = await frames(nghttp!, `${base}/refused`, `--data=${file}`, "--expect-continue");
      expect(refused).toContain(":status: 403\n");
      expect(refused).not.toContain("send DATA");
    });
  });
});

describe.each(ways)("h2load %s, and from there over %s", (door, to) => {
  testWith(["h2load"], "is answered on all of many streams", async ({ h2load }) => {
    const handler = (request: IncomingMessage, response: ServerResponse): void => {
      request.resume().on("end", () => response.end("x".repeat(3000)));
    };
    await using doors = await openFrontDoors({ handler });
    const base = `${doorsOf[door](doors)}/${to}`;
    await withBody(20_000, async (file) => {
      for (const args of [[], [`--data=${file}`]]) {
        const { stdout } = await exec(h2load!, ["--requests=400", "--clients=4", "--max-concurrent-streams=16", ...args, `${base}/load`]);
        expect(stdout).toContain("400 total, 400 started, 400 done, 400 succeeded, 0 failed, 0 errored, 0 timeout");
        expect(stdout).toContain("status codes: 400 2xx, 0 3xx, 0 4xx, 0 5xx");
        expect(stdout).toContain("(1200000) data");
      }
    });
    expect(doors.gateway.log.filter(({ level }) => level === "warn" || level === "error")).toEqual([]);
  });
});
